"""Each function against its place in the template: route, environment, what it runs on."""

import ast
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from files_api import composition
from tests.support import functions
from tests.support.functions import load_app, properties
from tests.support.template import ROOT, Stack, default_stack, source

# Read by the library itself (Powertools for AWS Lambda, "Environment variables").
POWERTOOLS = {"POWERTOOLS_LOG_LEVEL", "POWERTOOLS_SERVICE_NAME"}

PYTHON = f"python{(ROOT / '.python-version').read_text().strip()}"
every_function = pytest.mark.parametrize("folder", functions.FOLDERS)


def routes_of_the_template() -> dict[tuple[str, str], str]:
    """(method, path) to the folder of the function behind it."""
    folders = {name: folder for folder, name in functions.resources().items()}
    paths = default_stack().only("AWS::ApiGateway::RestApi")["Body"]["paths"]
    return {
        (method.upper(), path): folders[_function_of(operation)]
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


def _function_of(operation: dict[str, Any]) -> str:
    uri: str = operation["x-amazon-apigateway-integration"]["uri"]
    return uri.rpartition("/functions/")[2].removesuffix(".Arn/invocations")


def routes_of_the_code() -> dict[tuple[str, str], str]:
    return {route: folder for folder in functions.FOLDERS for route in functions.routes(folder)}


def test_folders_and_functions_of_the_template_are_the_same() -> None:
    for folder in functions.FOLDERS:
        assert functions.resources()[folder]
    assert sorted(functions.resources()) == functions.FOLDERS
    assert len(default_stack().of_type("AWS::Lambda::Function")) == len(functions.FOLDERS)


def test_routes_of_code_and_template_are_the_same() -> None:
    assert routes_of_the_code() == routes_of_the_template()
    assert routes_of_the_code()


def test_every_route_but_pages_needs_a_key_and_passes_the_whole_event() -> None:
    pages = functions.routes("pages")
    paths = default_stack().only("AWS::ApiGateway::RestApi")["Body"]["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            keyed: list[Any] = [] if (method.upper(), path) in pages else [{"BearerKey": []}]
            assert [each for each in operation["security"] if each != {"NONE": []}] == keyed, path
            integration = operation["x-amazon-apigateway-integration"]
            assert integration["type"] == "aws_proxy", (method, path)


def test_each_function_may_be_invoked_by_its_one_source_only() -> None:
    names = functions.resources()
    api = "arn:aws:execute-api:<AWS::Region>:<AWS::AccountId>:Api"
    sources = [
        *(
            (names[folder], f"{api}/*/{method}{re.sub(r'{\w+}', '*', path)}")
            for (method, path), folder in routes_of_the_template().items()
        ),
        ("Authorize.Arn", f"{api}/authorizers/*"),
        ("FinalizeFile", "FinalizeFileUploaded.Arn"),
    ]
    permissions = default_stack().of_type("AWS::Lambda::Permission").values()
    assert sorted(permissions, key=str) == sorted(
        (
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": function,
                "Principal": "events.amazonaws.com"
                if function == "FinalizeFile"
                else "apigateway.amazonaws.com",
                "SourceArn": source,
            }
            for function, source in sources
        ),
        key=str,
    )


@every_function
def test_function_is_configured_like_all_others(folder: str) -> None:
    routes = [" ".join(route) for route in functions.routes(folder)]
    name, function = functions.resources()[folder], properties(folder)
    description, timeout = function.pop("Description"), function.pop("Timeout")
    assert description == (routes[0] if len(routes) == 1 else description) != ""
    if folder not in ("assemble_upload", "delete_expired"):  # which nobody waits for
        assert timeout < 29, "the gateway waits 29 s"
    assert [layer[:-10] for layer in function.pop("Layers")] == ["SharedLayer", "DependenciesLayer"]
    own = {"Code", "Environment", "MemorySize", "Tags"}
    assert {key: value for key, value in function.items() if key not in own} == {
        "Architectures": ["arm64"],
        "Handler": "files_api.api.entry.lambda_handler",
        "LoggingConfig": {
            "LogFormat": "JSON",
            "ApplicationLogLevel": "INFO",
            "LogGroup": f"{name}Log",
        },
        "Role": f"{name}Role.Arn",
        "Runtime": PYTHON,
        "TracingConfig": {"Mode": "Active"},
        # It alone may call itself.
        **({"RecursiveLoop": "Allow"} if folder == "assemble_upload" else {}),
    }


def test_layers_are_for_the_python_that_runs_them() -> None:
    layers = default_stack().of_type("AWS::Lambda::LayerVersion").values()
    assert [each["CompatibleRuntimes"] for each in layers] == [[PYTHON]] * 2


# Lambda sets the name (AWS Lambda, "Defined runtime environment variables"), an emulator of AWS the
# endpoint.
OF_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME", "AWS_ENDPOINT_URL"}

# --- Environment ---------------------------------------------------------------------------------


class Recorder(dict[str, str]):
    """An environment that has every variable and remembers which were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return "1"

    def get(self, name: str, _default: object = None) -> str:
        return self[name]

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return True


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    recorder = Recorder()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # Nothing but `os.environ` is here: another way to the environment would be an AttributeError.
    monkeypatch.setattr(composition, "os", SimpleNamespace(environ=recorder))
    yield recorder
    composition.client.cache_clear()  # no other test can use clients without credentials


def shared() -> set[str]:
    """The variables that the template gives to every function."""
    return set(source()["Globals"]["Function"]["Environment"]["Variables"])


@every_function
def test_function_has_exactly_the_variables_it_reads(folder: str, environment: Recorder) -> None:
    # When the function composes its service
    load_app(folder).lambda_handler.start()
    # Then it has every variable that it has read, and of its own no other
    variables = set(properties(folder)["Environment"]["Variables"])
    assert environment.read - OF_LAMBDA <= variables
    assert variables - shared() <= environment.read


def test_every_shared_variable_has_a_reader(environment: Recorder) -> None:
    for folder in functions.FOLDERS:
        load_app(folder).lambda_handler.start()
    assert shared() <= environment.read | POWERTOOLS


@every_function
def test_importing_a_function_reads_nothing(folder: str, environment: Recorder) -> None:
    load_app(folder)
    assert environment.read == set()


def _reads_of_the_environment(tree: ast.AST) -> Iterator[str]:
    names = {"environ", "environb", "getenv", "getenvb"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in names:
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (alias.name for alias in node.names if alias.name in names)


def test_composition_alone_reads_the_environment() -> None:
    modules = [*ROOT.glob("functions/*/*.py"), *ROOT.glob("layers/files_api/python/**/*.py")]
    readers = {
        path.name for path in modules if any(_reads_of_the_environment(ast.parse(path.read_text())))
    }
    assert readers == {"composition.py"}


def test_parameters_reach_every_function_and_log_group() -> None:
    stack = Stack(
        Architecture="x86_64",
        DownloadUrlSeconds="60",
        LogLevel="DEBUG",
        LogRetentionDays="7",
        MaxFileBytes="7",
        MaxProjectBytes="70",
        MaxProjectFiles="9",
        DefaultLifetimeSeconds="86400",
        MinLifetimeSeconds="7200",
        MaxLifetimeSeconds="604800",
        Purposes="batch,evals",
        AllowedOrigin="https://app.example",
    )
    found: dict[str, set[Any]] = {}
    for function in stack.of_type("AWS::Lambda::Function").values():
        assert function["Architectures"] == ["x86_64"]
        # With JSON logs the level comes from here (AWS Lambda, "Log-level filtering").
        assert function["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
        for name, value in function["Environment"]["Variables"].items():
            found.setdefault(name, set()).add(value)
    assert found == {
        "POWERTOOLS_SERVICE_NAME": {"<AWS::StackName>"},
        "POWERTOOLS_LOG_LEVEL": {"DEBUG"},
        "KEYS_TABLE": {"KeysTable"},
        "FILES_TABLE": {"FilesTable"},
        "FILES_BUCKET": {"FilesBucket"},
        "PURPOSES": {"batch,evals"},
        "ALLOWED_ORIGIN": {"https://app.example"},
        "MAX_FILE_BYTES": {"7"},
        "MAX_PROJECT_BYTES": {"70"},
        "MAX_PROJECT_FILES": {"9"},
        "DEFAULT_LIFETIME_SECONDS": {"86400"},
        "MIN_LIFETIME_SECONDS": {"7200"},
        "MAX_LIFETIME_SECONDS": {"604800"},
        "DOWNLOAD_URL_SECONDS": {"60"},
        "ASSEMBLE_FUNCTION": {"AssembleUpload"},
        "DELETE_EXPIRED_FUNCTION": {"DeleteExpired"},
        "BUCKET_DOMAIN": {"FilesBucket.RegionalDomainName"},
    }
    writers = {f"{name}Log" for name in functions.resources().values()} | {"AccessLog"}
    groups = stack.of_type("AWS::Logs::LogGroup")
    assert groups == {name: {"RetentionInDays": "7"} for name in writers}


def test_log_level_never_drops_metrics() -> None:
    # Lines without a level, such as metrics, count as INFO
    assert source()["Parameters"]["LogLevel"]["AllowedValues"] == ["DEBUG", "INFO"]
