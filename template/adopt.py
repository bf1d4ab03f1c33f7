"""Does what the README's section "Add it to your application" says to a template that knows nothing of edgeauth: testdata/notes, an API in Python with a host of
its own. Only what the section leaves to the reader is decided here: where a block goes, what the API is called, and where the application is.

    python adopt.py folder

writes the application into a folder, beside which `edgeauth/` of a release belongs.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def blocks():
    """The section's two blocks: for the API's properties, and for Resources."""
    section = (ROOT / "README.md").read_text().split("## Add it to your application")[1].split("\n## ")[0]
    inside, beside = re.findall(r"(?s)```yaml\n(.*?)```", section)
    return inside, beside


def template(text):
    inside, beside = blocks()
    beside = re.sub(r"!Ref Api\b", "!Ref NotesApi", beside)
    beside, n = re.subn(r"BaseUrl: .*", "BaseUrl: !Sub https://${Domain}", beside)
    assert n == 1
    api = "    Type: AWS::Serverless::Api\n    Properties:\n"
    assert text.count(api) == 1 and text.count("\nResources:\n") == 1
    text = text.replace(api, api + "      DisableExecuteApiEndpoint: true\n" + inside)
    return text.replace("\nResources:\n", "\nResources:\n" + beside + "\n")


def application(folder):
    source = Path(__file__).parent / "testdata/notes"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    (Path(folder) / "template.yaml").write_text(template((source / "template.yaml").read_text()))
    return Path(folder)


if __name__ == "__main__":
    application(sys.argv[1])
