"""Discord's limits on what a message shows.

Discord does not say whether it counts characters or UTF-16 units: what fits in units fits in characters too.
"""

from typing import Final

MAX_CONTENT: Final = 2000  # units of a message's text (Discord docs, "Message", content)
MAX_LAYOUT: Final = 4000  # units of all texts of a layout (Discord docs, "Components", IS_COMPONENTS_V2)
MAX_LABEL: Final = 80  # units of a button's label (Discord docs, "Components")
