"""What the functions and the client cost: time, CPU, memory, AWS calls, size. `make bench` runs it.

Where it can be, a figure is a ratio to what the bare calls cost on the same machine in the same
minute, so that it says something of the code and little of the machine.
"""
