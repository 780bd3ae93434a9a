"""The schemas of what callers send and see: pydantic's, of the code's own types."""

from types import get_original_bases
from typing import Any, Final, is_typeddict

from pydantic import BaseModel, ConfigDict, TypeAdapter, with_config
from pydantic.json_schema import GenerateJsonSchema

from files_api.api import parameters
from files_api.api.openapi import bounds
from files_api.api.parameters import Body, Query
from files_api.service import objects
from files_api.service.files import MAX_INLINE_BYTES
from tools.openapi.errors import codes, types
from tools.openapi.template import default_limits

type Schema = dict[str, Any]

REF: Final = "#/components/schemas/{model}"
_OBJECT: Final = ConfigDict(extra="forbid", use_attribute_docstrings=True)
_FORMATS: Final = {
    **dict.fromkeys(("id", "upload_id", "first_id", "last_id"), "uuid"),
    "url": "uri",
}
# What only a deployment bounds.
_BOUNDED: Final = {
    "DirectUpload.bytes": "FileBytes",
    "DirectUpload.purpose": "Purpose",
    "ExpiresAfter.seconds": "LifetimeSeconds",
    "FileForm.purpose": "Purpose",
    "ListQuery.purpose": "Purpose",
    "NewUpload.bytes": "FileBytes",
    "NewUpload.purpose": "Purpose",
}
_BYTES: Final = {
    "description": f"The content, at most {MAX_INLINE_BYTES} bytes.",
    "type": "string",
    "format": "binary",
    "minLength": 1,
    "contentMediaType": "application/octet-stream",
}


class _Plain(GenerateJsonSchema):
    """Without titles that repeat names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def schemas() -> dict[str, Schema]:
    """All objects, bodies and queries, by name."""
    found = [
        each
        for module in (objects, parameters)
        for each in vars(module).values()
        if _is_described(each) and each.__module__ == module.__name__
    ]
    for each in filter(is_typeddict, found):
        with_config(_OBJECT)(each)
    inputs: Any = [(each.__name__, "validation", TypeAdapter(each)) for each in found]
    _, whole = TypeAdapter.json_schemas(inputs, ref_template=REF, schema_generator=_Plain)
    named: dict[str, Schema] = whole["$defs"]
    for each in found:
        _complete(each, named)
    del named["_FileFields"]  # part of others
    _complete_forms(named)
    # The SHA-256 of a whole file cannot be checked when it comes in parts.
    named["DirectUpload"]["not"] = {
        "required": ["part_size", "sha256"],
        "properties": {"part_size": {"type": "integer"}, "sha256": {"type": "string"}},
    }
    fields = named["ErrorFields"]["properties"]
    fields["type"]["enum"] = types()
    fields["code"]["anyOf"][0]["enum"] = codes()
    return dict(sorted((named | bounds(default_limits())).items()))


def answer(annotation: Any) -> Schema:
    """The schema of what a call returns: one of the objects, or one of several."""
    kinds = getattr(annotation, "__args__", (annotation,))
    references = [{"$ref": REF.format(model=kind.__name__)} for kind in kinds]
    return references[0] if len(references) == 1 else {"oneOf": references}


def _is_described(value: object) -> bool:
    if is_typeddict(value):
        return True
    model = isinstance(value, type) and issubclass(value, BaseModel)
    return model and value not in (BaseModel, Body, Query)


def _complete(each: Any, named: dict[str, Schema]) -> None:
    """Adds what pydantic does not know: formats, bounds, descriptions of inherited fields."""
    name = each.__name__
    named[name].pop("title", None)
    fields: dict[str, Schema] = named[name]["properties"]
    for base in filter(is_typeddict, get_original_bases(each)):
        for field, inherited in named[base.__name__]["properties"].items():
            if "description" in inherited:
                fields[field].setdefault("description", inherited["description"])
    for field, schema in fields.items():
        if is_typeddict(each) and field in _FORMATS:
            schema["format"] = _FORMATS[field]
        if bound := _BOUNDED.get(f"{name}.{field}"):
            kept = {key: text for key, text in schema.items() if key == "description"}
            schema.clear()
            schema |= {"$ref": REF.format(model=bound)} | kept


def _complete_forms(named: dict[str, Schema]) -> None:
    """Makes them what is sent: fields with bytes, no objects. Other fields are ignored."""
    form, lifetime = named["FileForm"], named["ExpiresAfter"]["properties"]
    del form["additionalProperties"], form["properties"]["expires_after"]
    nested = {f"expires_after[{name}]": schema for name, schema in lifetime.items()}
    form["properties"] = {"file": _BYTES} | form["properties"] | nested
    form["required"] = ["file", *form["required"]]
    form["dependentRequired"] = {name: [*nested] for name in nested}
    named["PartForm"] = {
        "description": "The form of `POST /v1/uploads/{upload_id}/parts`.",
        "type": "object",
        "properties": {"data": _BYTES},
        "required": ["data"],
    }
