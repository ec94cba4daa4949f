"""Build a real cloud and run it until Ctrl-C: python -m tests.realcloud RELEASE.

It prints the shell command that selects the cloud. Progress and errors go to stderr.
"""

# ruff: noqa: T201 (it prints)

import argparse
import sys
import threading
from shlex import quote

from . import RELEASES, RealcloudError, running


def main():
    """Run the chosen cloud; return the exit code."""
    known = ", ".join(f"{each.series} ({each.name})" for each in RELEASES.values())
    parser = argparse.ArgumentParser(
        prog="python -m tests.realcloud", description=__doc__.splitlines()[0], epilog=known
    )
    parser.add_argument("release", type=int, choices=RELEASES, metavar="RELEASE")
    try:
        with running(parser.parse_args().release, print_progress) as cloud:
            path = quote(str(cloud.clouds_yaml))
            print(f"export OS_CLIENT_CONFIG_FILE={path} OS_CLOUD={cloud.name}", flush=True)
            threading.Event().wait()
    except RealcloudError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def print_progress(text):
    """Print one step to stderr."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
