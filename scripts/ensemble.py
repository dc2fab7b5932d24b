"""Builds an ensemble: of checkpoints that are there, or of members that are trained for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from fer_core.artifacts import RUNS_CHECKPOINT
from fer_core.classifiers.folded_views import check_views
from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.errors import ConfigError
from fer_core.studies.workshop import TRAINED, Workshop, chosen_tree, member_folders
from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._options import VIEWS_HELP, with_configs
from scripts._progress import bar, say

MEMBERS = "--members"


@with_configs(config=TrainConfig, execution=ExecutionConfig)
def ensemble(
    combination: Annotated[
        str,
        typer.Argument(
            metavar="METHOD",
            help="soft_vote, weighted_vote, stacking or snapshot of --members; boosting, one_vs_rest or pair_tree of "
            "members that are trained for it.",
        ),
    ],
    data: Annotated[Path, typer.Option(help="Prepared dataset, or a raw source that is prepared on the way.")],
    config: TrainConfig,
    execution: ExecutionConfig,
    out: Annotated[Path | None, typer.Option(help="Folder to write; the ensemble is its folder `checkpoint`.")] = None,
    members: Annotated[
        list[str] | None,
        typer.Option(
            help="Checkpoints, names or folders, several after one --members; a run's folder stands for its snapshots."
        ),
    ] = None,
    model: Annotated[str, typer.Option(help="Architecture of the members that are trained.")] = "",
    rounds: Annotated[int, typer.Option(min=1, help="boosting: members at most.")] = 3,
    tree_by: Annotated[
        str | None,
        typer.Option(help="pair_tree: a checkpoint whose confusions on PublicTest choose the pairs; opposites else."),
    ] = None,
    views: Annotated[str, typer.Option(help=VIEWS_HELP)] = "single",
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Write nothing; tell what every choice of the members reaches on PublicTest."),
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the members' runs in --out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Builds an ensemble METHOD; weights and temperature are fitted on PublicTest, PrivateTest is not looked at.

    With --model, one_vs_rest trains a model for each emotion (and mixes in --members that know all), boosting and
    pair_tree train theirs; the other methods take --members as they are. With --compare every choice of the members is
    judged, so that one can be made on PublicTest alone.
    """
    from fer_core.classifiers import load_classifier
    from fer_core.classifiers.combination import COMBINATIONS
    from fer_core.classifiers.ensemble import build_ensemble

    title = COMBINATIONS[combination].title
    check_request(combination, members or [], model, views)
    if compare:
        show_choices(combination, members or [], data, views, as_json)
        return
    if out is None:
        raise ConfigError("name the folder to write with --out, or ask for --compare, which writes nothing")
    dataset = open_dataset(data)
    tree = chosen_tree(dataset, tree_by)
    workshop = Workshop(config, execution, dataset, out, resume, say, bar)
    options: dict[str, Any] = {"tree": tree} if combination == "pair_tree" else {}
    if model:
        options = workshop.make(combination, rounds, tree)
    folders = [*workshop.members, *member_folders(members or [])]
    target, facts = out / RUNS_CHECKPOINT, workshop.facts()
    card = build_ensemble(
        target, combination, folders, dataset, load_classifier, views=views, training=facts, **options
    )
    document = {
        "checkpoint": str(target),
        "method": combination,
        "members": [member["name"] for member in card.members],
        "options": card.options,
        "temperature": card.temperature,
        "best": card.selection,
    }
    accuracy = card.selection["value"]
    emit(document, as_json, [f"{title} of {len(folders)}: PublicTest accuracy {accuracy:.4f}; checkpoint in {target}"])


def show_choices(method: str, members: list[str], data: Path, views: str, as_json: bool) -> None:
    """Tells what every choice of the members reaches on PublicTest, the best first."""
    from fer_core.classifiers import load_classifier
    from fer_core.classifiers.ensemble import compare_choices

    if method in TRAINED:
        raise ConfigError(f"--compare does not go with {method}, whose members are trained for it")
    opened = [load_classifier(folder) for folder in member_folders(members)]
    found = compare_choices(method, opened, open_dataset(data), views=views)
    lines = (
        f"{choice.accuracy:.4f}  {' + '.join(choice.members)}  (none of them right alone: {choice.all_wrong:.4f})"
        for choice in found
    )
    emit([asdict(choice) for choice in found], as_json, lines)


def check_request(method: str, members: list[str], model: str, views: str) -> None:
    """Raises ConfigError where the options contradict each other, before any work is done."""
    check_views(views)
    if model and method not in TRAINED:
        raise ConfigError(f"{method} trains no members; leave --model out and name checkpoints with --members")
    if model and members and method != "one_vs_rest":
        raise ConfigError(f"{method} trains its own members; leave --members out")
    if method == "boosting" and not model:
        raise ConfigError("boosting trains its members one after the other; name an architecture with --model")
    if not model and not members:
        hint = "name an architecture with --model, or " if method in TRAINED else ""
        raise ConfigError(f"{method} needs members; {hint}name checkpoints with --members")


def spread(arguments: Sequence[str]) -> list[str]:
    """`--members a b --data c` -> `--members a --members b --data c`, as typer takes lists."""
    found: list[str] = []
    inside = False
    for argument in arguments:
        if inside and not argument.startswith("-"):
            found += [MEMBERS, argument]
            continue
        inside = argument == MEMBERS
        if not inside:
            found.append(argument)
    return found


if __name__ == "__main__":
    sys.argv[1:] = spread(sys.argv[1:])
    run(ensemble)
