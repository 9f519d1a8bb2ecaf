"""What programs do with Onethread. README.md beside this file lists the examples, and the one command that runs each."""
