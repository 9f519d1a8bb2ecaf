"""Duplicates: session names that several threads bear. Group them, find them, merge them."""
