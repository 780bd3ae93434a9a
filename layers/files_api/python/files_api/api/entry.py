"""The handler that Lambda starts: the function's `app`, made ready during initialisation.

Importing an `app` touches nothing outside the process, so tests import it like any module. Its
clients are made here, before the first call, while Lambda still grants a full processor. Nothing
made so far ever becomes garbage: the collector is off meanwhile, and skips these objects later
(`make bench` measures what that saves).
"""

import gc

gc.disable()

import app  # noqa: E402  the function's own module; Lambda runs this one beside it

lambda_handler = app.lambda_handler
lambda_handler.start()

gc.freeze()
gc.enable()
