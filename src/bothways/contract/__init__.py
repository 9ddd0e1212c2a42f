"""The agreement between hub and customer, as data: parse it, render it, print recipes from it. Pure."""
