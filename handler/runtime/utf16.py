"""The length of a text as Discord counts it. Pure."""


def utf16_units(text: str) -> int:
    """The text's length in UTF-16 units: a character beyond the first 65,536, such as an emoji, counts twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
