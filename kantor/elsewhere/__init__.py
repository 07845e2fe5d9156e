"""The proof that other processors give the same bits: this one, posing as them.

A program asks the instruction `cpuid` what processor it runs on. Here each such instruction in
the libraries of this environment is replaced, in memory, by one that traps, and the trap is
answered as another processor would. The libraries then choose the code, the block sizes and the
compiler's target that they would choose there, at full speed.

`processors` lists the processors, `cpuid` finds the instructions, `spoof.c` answers them, and
`simulation` runs a program that way. `operations` hashes results, `pipeline` runs the stages,
and `verdict` compares. The project's stages import none of it.

It can't show arithmetic that a processor itself does otherwise, such as the approximations
`rsqrtps` and `rcpps`, whose results differ between makers.
"""
