"""The pages of the documentation that are made of the code, so that they cannot say anything else than it does."""

MADE = "This page is made of the code by `make reference`."
"""What each of them says of itself."""
