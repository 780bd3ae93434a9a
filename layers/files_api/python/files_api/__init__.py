"""The Files API: what the functions share.

Read it in this order: `http` (a request becomes a call), `files` (what the calls do),
`ports` (what they need), `records` and `blobs` (how AWS gives it), `composition` (who gets what).
"""
