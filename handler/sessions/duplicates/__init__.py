"""Duplicates: session names that several threads bear. Group them, find them, choose what is kept, merge them."""
