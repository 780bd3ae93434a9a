"""What the functions cost: time to start, CPU and AWS calls per call, size. `make bench` runs it.

Every figure is a ratio to what boto3 alone costs on the same machine in the same minute, so that it
says something of the code and little of the machine.
"""
