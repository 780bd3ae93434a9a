"""What the functions and the client cost: time, CPU, memory, AWS calls, size (`make bench`).

If possible, a figure is a ratio to the cost of bare calls on the same machine in the same minute:
it depends on the code, and hardly on the machine.
"""
