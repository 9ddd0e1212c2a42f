"""The REST API, `/api/v1`: one file per noun; `caller.py` alone hands out the hub, to who may touch it."""
