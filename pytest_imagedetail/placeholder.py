"""What redaction writes in place of what it removes, for whoever has to know it again."""

import re
from typing import Final

CALLER: Final = f"{0:032x}"
"""The project that asked; redaction numbers it first."""

ID_DIGITS: Final = r"0{24}[0-9a-f]{8}"
"""A pattern: the id of a project or a user, which are numbered alike."""

is_id: Final = re.compile(ID_DIGITS).fullmatch
"""Whether a text is such an id and nothing else."""
