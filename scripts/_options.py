"""Config dataclasses as command options: a field is an option, the text under it is its help."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import typer

from fer_core.config import field_help
from fer_core.errors import ConfigError

EXAMPLE = '{"width": 0.5}'
VIEWS_HELP = "single; flip: face and mirror image averaged; flip_zoom: the mirror image is enlarged by a tenth as well."


def with_configs(**configs: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a command the fields of each config as options and hands it the built configs by the names given here.

    A field without a default stays the command's own argument of that name; a dict field takes JSON.
    """

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        own = inspect.signature(function, eval_str=True).parameters
        kept = [parameter for name, parameter in own.items() if name not in configs]
        options = [option for config in configs.values() for option in _options(config) if option.name not in own]

        def command(**values: Any) -> Any:
            built = {name: _build(config, values) for name, config in configs.items()}
            return function(**{parameter.name: values[parameter.name] for parameter in kept}, **built)

        command.__doc__ = function.__doc__
        command.__signature__ = inspect.Signature([*kept, *options])  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in (*kept, *options)}
        return command

    return wrap


def _options(config: type) -> list[inspect.Parameter]:
    helps, hints = field_help(config), get_type_hints(config)
    return [
        _option(field, helps[field.name], hints[field.name])
        for field in dataclasses.fields(config)
        if not _is_required(field)
    ]


def _option(field: dataclasses.Field[Any], text: str, hint: Any) -> inspect.Parameter:
    is_dict = field.default is dataclasses.MISSING
    kind: Any = str if is_dict else hint
    default = "{}" if is_dict else field.default
    annotation = Annotated[kind, typer.Option(help=text)]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _build(config: type, values: dict[str, Any]) -> Any:
    arguments = {}
    for field in dataclasses.fields(config):
        value = values[field.name]
        arguments[field.name] = json_object(field.name, value) if isinstance(field.default_factory, type) else value
    return config(**arguments)


def given(context: typer.Context) -> set[str]:
    """Names of the options and arguments that the command line gave, and did not leave at their defaults."""
    return {name for name in context.params if _source(context, name) == "COMMANDLINE"}


def _source(context: typer.Context, name: str) -> str:
    source = context.get_parameter_source(name)
    return source.name if source else ""


def json_object(name: str, text: str) -> dict[str, Any]:
    """The value of an option that takes a JSON object; raises ConfigError where it is none."""
    flag = f"--{name.replace('_', '-')}"
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{flag} is no JSON object ({error}); write it like '{EXAMPLE}'") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{flag} must be a JSON object like '{EXAMPLE}', not {text}")
    return value
