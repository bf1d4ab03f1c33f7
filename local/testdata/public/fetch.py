"""Fetches SAM templates that others wrote, by the packages that hold them: the ones that `sam init` starts with, and the samples that goformation is tested with.

    fetch.py FOLDER        (pip and go reach their registries)
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

SAM_CLI = "aws-sam-cli==1.170.0"
GOFORMATION = "github.com/awslabs/goformation/v7@v7.14.9"


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def render(text, settings):
    """The little of Jinja that these templates use."""
    text = re.sub(r"\s*\{%- if cookiecutter.runtime == '(.*?)' %\}(.*?)\{%- endif %\}", lambda m: m[2].rstrip() if settings.get("runtime") == m[1] else "", text, flags=re.S)
    text = re.sub(r"\{%- for arch in cookiecutter.architectures.value %\}(.*?)\{%- endfor %\}", lambda m: "".join(m[1].rstrip().replace("{{arch}}", arch) for arch in settings["architectures"]["value"]), text, flags=re.S)
    return re.sub(r"\{\{ *cookiecutter\.(\w+) *\}\}", lambda m: str(settings[m[1]]), text)


def sam_init(folder):
    run(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", str(folder), SAM_CLI)
    with zipfile.ZipFile(next(folder.glob("aws_sam_cli-*.whl"))) as wheel:
        for name in wheel.namelist():
            m = re.fullmatch(r"samcli/lib/init/templates/cookiecutter-aws-sam-(hello-[\w-]+)/\{\{cookiecutter\.project_name\}\}/(.+)", name)
            if not m or name.endswith("/"):
                continue
            to, data = folder / "sam-init" / m[1] / m[2], wheel.read(name)
            to.parent.mkdir(parents=True, exist_ok=True)
            if to.name == "template.yaml":
                data = render(data.decode(), json.loads(wheel.read(name.split("/{{")[0] + "/cookiecutter.json"))).encode()
            to.write_bytes(data)


def goformation(folder):
    home = folder / "go"
    home.mkdir(exist_ok=True)
    (home / "go.mod").write_text("module templates\n")
    yaml = pathlib.Path(json.loads(run("go", "mod", "download", "-json", GOFORMATION, cwd=home))["Dir"]) / "test/yaml"
    for path in sorted(yaml.rglob("*.y*ml")):
        text = path.read_text()
        if "AWS::Serverless-2016-10-31" in text and "AWS::Serverless::" in text:
            name = str(path.relative_to(yaml).with_suffix("")).replace("sam-official-samples/", "samples/").removesuffix("/template")
            to = folder / "goformation" / name / "template.yaml"
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(text)


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sam_init(folder)
    goformation(folder)


main()
