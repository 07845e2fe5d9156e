"""The command `kantor`: one file for each of its subcommands."""
