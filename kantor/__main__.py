"""The command `kantor`; `python -m kantor` is the same."""

import argparse

from kantor.commands import compose, dependencies, fill, harmonise, judge, reproduce
from kantor.system import errors

errors.set_up_process()

COMMANDS = {
    "harmonise": harmonise,
    "fill": fill,
    "compose": compose,
    "judge": judge,
    "dependencies": dependencies,
    "reproduce": reproduce,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="kantor",
        description="Harmonise, complete and compose with the trained model; judge music; prove "
        "that all of it rebuilds to the same bits.",
        epilog="`dvc repro` builds the model and all reports; see README.md.",
    )
    subparsers = parser.add_subparsers(metavar="command", required=True)
    for name, command in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=command.__doc__.splitlines()[0],
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(command=command)
    arguments = parser.parse_args()
    errors.run(lambda: arguments.command.run(arguments))


if __name__ == "__main__":
    main()
