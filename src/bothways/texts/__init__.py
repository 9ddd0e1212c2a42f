"""What the pages of the portal and of the documentation's site say: one catalogue of texts per language."""
