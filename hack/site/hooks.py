"""Hooks of MkDocs for the site of the documents."""

import logging
import re
from pathlib import Path

REPOSITORY = "https://github.com/millrace-dev/millrace"

LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")

log = logging.getLogger("mkdocs.hooks.documents")


def on_page_markdown(markdown, page, config, files):
    """Points links to files outside of the documents' folder to the repository."""
    docs = Path(config.docs_dir).resolve()
    folder = Path(page.file.abs_src_path).resolve().parent

    def replacement(link):
        target, anchor = link[1], link[2] or ""
        if ":" in target:
            return link[0]
        path = (folder / target).resolve()
        if path.is_relative_to(docs):
            return link[0]
        if not path.exists():
            log.warning("%s: there is no %s", page.file.src_path, target)
            return link[0]
        kind = "tree" if path.is_dir() else "blob"
        return f"]({REPOSITORY}/{kind}/main/{path.relative_to(docs.parent)}{anchor})"

    return LINK.sub(replacement, markdown)
