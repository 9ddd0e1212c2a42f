"""The documentation, inside the package: its pages, the search in them, and the site that is made of them."""
