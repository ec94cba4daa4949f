"""Validate documents with Nova's response validation; runs in the environment of a release.

It reads one JSON document per line, and writes null or the message of Nova's error for each.
"""

import json
import sys

from nova import exception
from nova.api.openstack.compute.schemas import images
from nova.api.validation import validators


def main():
    """Answer each line of standard input."""
    validator = validators._SchemaValidator(images.detail_response)
    for line in sys.stdin:
        message = None
        try:
            validator.validate(json.loads(line))
        except exception.ValidationError as error:
            message = error.format_message()
        sys.stdout.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    main()
