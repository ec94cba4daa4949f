"""Every page can be followed as written. `UPDATE_DOCS=1` rewrites the output on the pages."""

import os
import re
import shlex

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from pytest_imagedetail.cli import parser
from tests.docs.pages import PAGES, ROOT, blocks, differs, imagedetail_commands, run_sessions


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page, tmp_path):
    """Links exist, commands parse, code compiles, and sessions print what the page shows."""
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (page.parent / target).exists(), f"link to {target}"
    for command in imagedetail_commands(text):
        parser().parse_args(shlex.split(re.split(r"[|;&>]", command)[0], comments=True)[1:])
    for block in blocks(text):
        if block.language == "python":
            compile(block.text, block.file or page.name, "exec")
            later = text.partition(block.text)[2]
            run = rf"^\$ (pytest( -\S+)*$|.*{re.escape(block.file)})"
            assert not block.file or re.search(run, later, re.MULTILINE), f"{block.file} is not run"
    sessions = list(run_sessions(text, tmp_path))
    different = [(block, printed) for block, printed in sessions if differs(block.text, printed)]
    for block, printed in different:
        message = f"shown:\n{block.text}\nprinted:\n{printed}"
        assert "UPDATE_DOCS" in os.environ, message
        assert "\n...\n" not in block.text, message
    if different:
        for block, printed in sessions:
            if "\n...\n" not in block.text:
                text = text.replace(block.text, printed, 1)
        page.write_text(text, encoding="utf-8")
