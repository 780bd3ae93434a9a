"""What Lambda starts: the function's `app`, made ready while the sandbox still initialises.

Importing an `app` touches nothing outside, so that tests import it like any module. Here its
clients are made before the first call, while Lambda lends the function a full processor. Nothing
made so far is ever garbage: the collector stays off meanwhile and leaves it out from then on.
"""

import gc

gc.disable()

import app  # noqa: E402  the function's own module, beside which Lambda runs this

app.api.start()
lambda_handler = app.lambda_handler

gc.freeze()
gc.enable()
