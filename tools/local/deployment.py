"""Deploys the template to MiniStack with the AWS SAM CLI, as it would be deployed to AWS."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from samcli.yamlhelper import yaml_parse

from tools.errors import StackError
from tools.local import sam
from tools.local.ministack import CREDENTIALS, HOST, REGION, MiniStack, wait

STACK: Final = "files-api"
ARTIFACTS: Final = "artifacts"
SOURCES: Final = ("functions", "layers")
# MiniStack's state contains the fingerprint of the deployed sources. In a file of its own, it could
# be newer than the stack that it describes.
FINGERPRINT: Final = "/files-api/fingerprint"


class Deployment:
    """A template in a MiniStack.

    Args:
        ministack: where it is deployed; must be running.
        project: the folder with template.yaml.
        folder: where builds are kept.
        log: the file that the output is appended to.
        parameters: all parameters of the template.
    """

    def __init__(
        self,
        ministack: MiniStack,
        *,
        project: Path,
        folder: Path,
        log: Path,
        parameters: Mapping[str, str],
    ) -> None:
        self._ministack = ministack
        self._project = project
        self._folder = folder
        self._log = log
        self._parameters = parameters

    def is_current(self) -> bool:
        """Whether the deployed stack was made from the sources as they are now."""
        ssm = self._ministack.client("ssm")
        try:
            found = ssm.get_parameter(Name=FINGERPRINT)["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            return False
        return bool(found == self.fingerprint())

    def outputs(self) -> dict[str, str]:
        """The stack's outputs, name to value."""
        cloudformation = self._ministack.client("cloudformation")
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}

    def fingerprint(self) -> str:
        """A digest of everything that a deployment is made from."""
        digest = hashlib.sha256(json.dumps(self._parameters, sort_keys=True).encode())
        for path in _sources(self._project):
            content = path.read_bytes()
            digest.update(f"\0{path.relative_to(self._project)}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    def build(self) -> None:
        """Builds what has changed since the last build.

        Raises:
            StackError: the build failed.
        """
        # The CLI's cache would take compiled files beside the sources for a change.
        for folder in SOURCES:
            for compiled in list((self._project / folder).rglob("__pycache__")):
                shutil.rmtree(compiled, ignore_errors=True)
        self._sam(
            "build",
            *("--template-file", self._project / "template.yaml"),
            *("--build-dir", self._folder / "build"),
            *("--cached", "--cache-dir", self._folder / "cache"),
        )

    def deploy(self) -> None:
        """Deploys what was built.

        Raises:
            StackError: the deployment failed.
        """
        fingerprint = self.fingerprint()
        # MiniStack's SAM transform knows only the defaults.
        template = self._folder / "build" / "template.yaml"
        content = yaml_parse(template.read_text())
        for name, value in self._parameters.items():
            content["Parameters"][name]["Default"] = value
        template.write_text(json.dumps(content))
        s3 = self._ministack.client("s3")
        # An interrupted start may have created it.
        with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=ARTIFACTS)
        self._sam(
            "deploy",
            *("--template-file", template),
            *("--stack-name", STACK, "--s3-bucket", ARTIFACTS, "--region", REGION),
            *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
        )
        self._ministack.client("ssm").put_parameter(
            Name=FINGERPRINT, Value=fingerprint, Type="String", Overwrite=True
        )

    def _sam(self, command: str, *arguments: str | Path) -> None:
        """Runs a command of the AWS SAM CLI; its output goes to the log.

        Raises:
            StackError: the command failed; the message contains its own error message.
        """
        # Not samconfig.toml, whose profile, region and bucket are for deployments to AWS.
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "samconfig.toml"
        config.write_text("version = 0.1\n")
        environment = {
            **sam.environment(),
            **CREDENTIALS,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self._ministack.endpoint,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "LAYER_PLATFORMS": "",  # packages for this machine, on which the functions run
            "NO_PROXY": HOST,
            "SAM_CLI_POLL_DELAY": "0.25",  # seconds; the real CloudFormation would throttle this
            "__SAM_CLI_APP_DIR": str(self._folder / "home"),
        }
        overrides = [
            f"{name}={json.dumps(value, ensure_ascii=False)}"
            for name, value in self._parameters.items()
        ]
        start = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [
                    *(sam.COMMAND, command, *arguments, "--config-file", config),
                    *(["--parameter-overrides", *overrides] if overrides else []),
                ],
                env=environment,
                cwd=self._project,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            with _killed_at_exit(process):
                failed = wait(process) != 0
        if failed:
            output = self._log.read_bytes()[start:].decode(errors="replace")
            reason = [line for line in output.splitlines() if line.startswith("Error:")]
            raise StackError(f"sam {command} failed. {' '.join(reason[-1:])}".strip(), self._log)


@contextlib.contextmanager
def _killed_at_exit(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kills the process and its children if they still run when the block is left."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _sources(project: Path) -> list[Path]:
    """The files that a deployment is made from, in a fixed order."""
    sources = [project / "template.yaml"]
    for folder in SOURCES:
        sources += (project / folder).rglob("*")
    return sorted(path for path in sources if path.is_file() and "__pycache__" not in path.parts)
