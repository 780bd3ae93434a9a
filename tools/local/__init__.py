"""The local stack: the template, deployed to MiniStack on this machine, behind a local gateway."""
