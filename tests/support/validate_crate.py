"""Validate the RO-Crate of a run, offline: `python validate_crate.py <folder>`; needs roc-validator and rocrate.

The validator reads the context of RO-Crate from the network, or from a cache, which this puts the context into that the
package rocrate ships: a later version, in which all terms that we use mean the same.
"""

import io
import json
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import requests
from requests.adapters import BaseAdapter
from requests_cache import CachedSession
from urllib3 import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Shipped(BaseAdapter):
    """Answers each request with the context that the package rocrate ships."""

    def send(self, request, **options):
        content = (files("rocrate") / "data/ro-crate.jsonld").read_bytes()
        assert json.loads(content)["@context"]
        raw = HTTPResponse(
            io.BytesIO(content),
            status=200,
            headers={"Content-Type": "application/ld+json"},
            preload_content=False,
            request_url=request.url,
        )
        response = requests.adapters.HTTPAdapter().build_response(request, raw)
        response.request = request
        return response

    def close(self):
        pass


def validate(folder):
    """Run the validator; its status."""
    with tempfile.TemporaryDirectory() as cache:
        session = CachedSession(str(Path(cache) / "cache"), backend="sqlite", expire_after=-1)
        session.mount("https://", Shipped())
        session.get(CONTEXT)
        session.close()
        program = [
            Path(sys.executable).with_name("rocrate-validator"),
            "--no-interactive",
            "--disable-color",
            "validate",
        ]
        options = ["--offline", "--cache-path", Path(cache) / "cache", "--verbose", "--no-paging"]
        options += ["--profile-identifier", "process-run-crate-0.5", "--requirement-severity", "required"]
        return subprocess.run([*program, *options, folder]).returncode


if __name__ == "__main__":
    sys.exit(validate(sys.argv[1]))
