"""Values -> the demo's HTML. Pictures are written into the page as data, so that no file of a face is left behind."""

from __future__ import annotations

import base64
import io
import json
from html import escape
from itertools import count
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from PIL import Image

from fer_core.artifacts import Card
from fer_core.classifiers.folded_views import folded_view
from fer_core.data.table import SIDE
from fer_core.explain import EXPLAINERS
from fer_core.labels import COLOURS, EMOJI, EMOTIONS, ink_on, judged_by
from webapp.demo.examples import Example
from webapp.demo.handlers import Visit, as_document, is_whole

if TYPE_CHECKING:
    from fer_core.explain import Explanation
    from fer_core.inference.predictor import FacePrediction

NO_FACE: Final = (
    "No face was found here. Faces are found when they look roughly into the camera, stand upright and are not "
    "too small. If the picture is one face and little else, have the whole picture classified"
)

_ROOM_FOR_WORDS: Final = 0.22
"""Of several boxes, one narrower than this part of the photo carries its number only."""

_ROOM_FOR_A_NUMBER: Final = 0.05
"""A box narrower than this part of the photo carries nothing, unless it is chosen: numbers would cover the faces."""

_ROOM_ABOVE: Final = 0.07
"""A box nearer to the photo's upper edge than this part of its width carries its words inside."""

_UNSURE: Final = 0.5
"""Below this confidence the page says that the model is unsure."""

_TURNS: Final = count(1)
"""Numbers what is announced, so that the same words are heard again when they come again."""

Tone = Literal["note", "warning", "error"]


def picture_data(picture: np.ndarray | Image.Image, kind: Literal["PNG", "WEBP"] = "PNG") -> str:
    """A picture as a `data:` address."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": 85} if kind == "WEBP" else {}))
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def message(text: str, tone: Tone = "note", *, announced: bool = True) -> str:
    """A sentence for the visitor; announced by screen readers unless it was there from the beginning."""
    if not text:
        return ""
    heard = _announced(sentence(text)) if announced else ""
    return f'<p class="fer-message fer-{tone}"{heard}>{escape(sentence(text))}</p>'


def _announced(text: str) -> str:
    """Attributes of an element that screen readers announce by these words; the page's script reads them."""
    return f' data-announce="{escape(text)}" data-turn="{next(_TURNS)}"'


def sentence(text: str) -> str:
    """A message of fer_core, made to stand alone: a capital in front and a full stop behind."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"


def found(visit: Visit) -> str:
    """What a visitor should know about the answer beyond the answer; mostly nothing."""
    first, *notes = visit.result.message.split(". ")
    if not visit.faces:
        notes.insert(0, NO_FACE)
    elif visit.whole or is_whole(visit):
        notes.insert(0, first)
    return " ".join(sentence(note) for note in notes)


def photo(visit: Visit) -> str:
    """The photo with a box around every face; a click on one chooses it."""
    result = visit.result
    boxes = "" if is_whole(visit) else "".join(_box(visit, index) for index in range(len(visit.faces)))
    small = " fer-pixels" if result.width < 200 else ""
    # the photo is drawn at most 60 % of the window high, in its own proportions
    return (
        f'<div class="fer-frame" style="--ratio:{result.width / result.height:.4f}">'
        f'<img class="{small.strip()}" src="{picture_data(result.image.convert("RGB"), "WEBP")}" '
        f'alt="{escape(_photo_alt(visit))}">{boxes}</div>'
    )


def summary(visit: Visit) -> str:
    """One line on what was found, with the answer as a file to take along."""
    document = base64.b64encode(json.dumps(as_document(visit), indent=2).encode()).decode()
    link = f'<a class="fer-link" download="faces.json" href="data:application/json;base64,{document}">Save as JSON</a>'
    judge = f", judged by <b>{escape(visit.checkpoint)}</b>" if visit.faces else ""
    heard = _announced(announcement(visit)) if visit.faces else ""  # that there is none is the message
    return f'<p class="fer-summary"{heard}><span>{_count(visit)}{judge}</span>{link}</p>'


def announcement(visit: Visit) -> str:
    """The answer in a sentence, for those who hear the page."""
    found = ", ".join(f"{one.emotion} {one.confidence:.0%}" for one in visit.faces)
    return f"{_count(visit)}: {found}."


def choice_announcement(visit: Visit) -> str:
    """The chosen face in a sentence, for those who hear the page."""
    number = f"Face {visit.chosen + 1} of {len(visit.faces)}"
    return f"{number}: {visit.face.emotion}, {visit.face.confidence:.0%} confident."


def chooser(visit: Visit) -> str:
    """A row of faces to choose from; empty where there is only one."""
    if len(visit.faces) < 2:
        return ""
    faces = "".join(_choice(visit, index) for index in range(len(visit.faces)))
    return f'<div class="fer-faces" role="group" aria-label="Faces in the photo">{faces}</div>'


def face(visit: Visit, reliability: str, field: int = SIDE, *, announced: bool = False) -> str:
    """The chosen face: what the model saw, what it says, and how far to trust that.

    Args:
        reliability: a sentence, or "".
        field: the model looks at the centre of so many pixels a side.
        announced: whether screen readers announce it, because it was chosen just now.
    """
    one = visit.face
    crop = picture_data(one.face.crop)
    number = f"Face {visit.chosen + 1}: " if len(visit.faces) > 1 else ""
    trust = f'<p class="fer-trust">{escape(reliability)}</p>' if reliability else ""
    centre = f", of which it looks at the centre, {field}&times;{field}" if field < SIDE else ""
    heard = _announced(choice_announcement(visit)) if announced else ""
    return (
        f'<div class="fer-face"{heard}><figure><img class="fer-pixels" src="{crop}" width="168" height="168" '
        f'alt="The face as the model gets it: 48 by 48 grey pixels, enlarged">'
        f"<figcaption>What the model gets: 48&times;48 pixels{centre}</figcaption></figure>"
        f'<div class="fer-verdict"><h3>{number}{EMOJI[one.emotion]} {one.emotion} '
        f"<small>{one.confidence:.0%} confident</small></h3>{_bars(one)}{_doubt(one)}{trust}</div></div>"
    )


def explanation(
    visit: Visit,
    explained: Explanation,
    on_face: Image.Image,
    on_photo: Image.Image | None,
    sheet: Image.Image | None = None,
) -> str:
    """The heatmap on the face and on the photo, and all of it on one sheet, each with a button that saves it."""
    alt, aim = _heat_alt(explained), f", {_aim(explained)}" if explained.targeted else ""
    several = len(visit.faces) > 1
    places = (f"On face {visit.chosen + 1}", f"Face {visit.chosen + 1} on the photo")
    at_face, at_photo = places if several else ("On the face", "On the photo")
    figures = "".join(_beside(picture, words) for words, picture in explained.pictures.items())
    figures += _saveable(on_face, _joined(alt, at_face), file_name("face", visit, explained), at_face + aim)
    if on_photo is not None:
        name = file_name("photo", visit, explained)
        figures += _saveable(on_photo.convert("RGB"), _joined(alt, at_photo), name, at_photo + aim)
    legend = message(explained.message, announced=False) or _legend(explained)
    keep = "" if sheet is None else _keep(sheet, file_name("explanation", visit, explained))
    heard = _announced(explained.message or _ready(explained))
    return f'{_question(visit, explained)}<div class="fer-overlays"{heard}>{figures}</div>{legend}{keep}'


def file_name(what: str, visit: Visit, explained: Explanation) -> str:
    """What a saved picture is called: its method, the emotion that is explained, and which face of several."""
    parts = [what, explained.method]
    if explained.targeted:
        parts.append(explained.target)
    if len(visit.faces) > 1:
        parts.append(f"face-{visit.chosen + 1}")
    return f"{'-'.join(parts)}.png"


def model_line(card: Card, split: str = "PrivateTest") -> str:
    """What the checkpoint is and what it reaches, in a line."""
    scores = card.metrics.get(split, {})
    parts = [escape(card.title), f"{_short(card.parameters)} parameters"]
    if beside := folded_view(card).beside:
        parts.append(f"face and {beside} averaged")
    if "accuracy" in scores:
        low, high = scores.get("accuracy_interval", (scores["accuracy"], scores["accuracy"]))
        judge = f" by {judged_by(card.labels)}" if len(card.labels) != len(EMOTIONS) else ""
        parts.append(f"right on {scores['accuracy']:.1%} of {split}{judge} (95 % interval {low:.1%} to {high:.1%})")
    else:
        parts.append("accuracy not measured")
    return f'<p class="fer-model">{" · ".join(parts)}</p>'


def examples(bundled: tuple[Example, ...]) -> str:
    """Thumbnails to click on."""
    buttons = "".join(_example(index, one) for index, one in enumerate(bundled))
    return f'<div class="fer-examples" role="group" aria-label="Examples">{buttons}</div>'


def _example(index: int, one: Example) -> str:
    image = Image.fromarray(one.picture)
    image.thumbnail((128, 128))
    return (
        f'<button type="button" data-index="{index}" title="{escape(one.credit)}">'
        f'<img src="{picture_data(image, "WEBP")}" alt="{escape(one.alt)}" width="64" height="64">'
        f"<span>{escape(one.name)}</span></button>"
    )


def _box(visit: Visit, index: int) -> str:
    one, result = visit.faces[index], visit.result
    x, y, width, height = one.face.box
    left, top = max(x / result.width, 0.0), max(y / result.height, 0.0)
    wide, high = min((x + width) / result.width, 1.0) - left, min((y + height) / result.height, 1.0) - top
    classes = "fer-box fer-chosen" if index == visit.chosen and len(visit.faces) > 1 else "fer-box"
    place = f"left:{left:.2%};top:{top:.2%};width:{wide:.2%};height:{high:.2%}"
    tag = "fer-tag fer-inside" if top * result.height / result.width < _ROOM_ABOVE else "fer-tag"
    if left + wide / 2 > 0.5:  # words that begin at its left might not end in the photo
        tag += " fer-leftwards"
    return (
        f'<button type="button" tabindex="-1" data-index="{index}" class="{classes}" '
        f'aria-label="{_words(visit, index)}" style="{place};{_paint(one.emotion)}">'
        f"{_tag(visit, index, wide, tag)}</button>"
    )


def _tag(visit: Visit, index: int, wide: float, classes: str) -> str:
    if len(visit.faces) > 1 and wide < _ROOM_FOR_A_NUMBER and index != visit.chosen:
        return ""
    words = _words(visit, index) if wide > _ROOM_FOR_WORDS or len(visit.faces) == 1 else str(index + 1)
    return f'<span class="{classes}">{words}</span>'


def _words(visit: Visit, index: int) -> str:
    one = visit.faces[index]
    number = f"{index + 1} " if len(visit.faces) > 1 else ""
    return f"{number}{one.emotion} {one.confidence:.0%}"


def _choice(visit: Visit, index: int) -> str:
    one = visit.faces[index]
    pressed = str(index == visit.chosen).lower()
    return (
        f'<button type="button" data-index="{index}" aria-pressed="{pressed}" style="{_paint(one.emotion)}">'
        f'<img class="fer-pixels" src="{picture_data(one.face.crop)}" width="64" height="64" alt="Face {index + 1}">'
        f"<span>{_words(visit, index)}</span></button>"
    )


def _count(visit: Visit) -> str:
    if visit.whole or is_whole(visit):
        return "The whole picture as one face"
    count = len(visit.faces)
    return {0: "No face", 1: "One face"}.get(count, f"{count} faces")


def _bars(one: FacePrediction) -> str:
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td class="fer-bar" aria-hidden="true"><span '
        f'style="width:{p:.1%};background:{COLOURS[name]}"></span></td><td>{p:.1%}</td></tr>'
        for name, p in one.probabilities.items()
    )
    return f'<table class="fer-bars"><caption class="fer-hidden">Probability of each emotion</caption>{rows}</table>'


def _doubt(one: FacePrediction) -> str:
    if one.confidence >= _UNSURE:
        return ""
    first, second = sorted(one.probabilities, key=one.probabilities.__getitem__, reverse=True)[:2]
    return f'<p class="fer-doubt">The model is unsure: {first} and {second} are its best guesses.</p>'


def _saveable(picture: Image.Image, alt: str, name: str, caption: str) -> str:
    return (
        f'<figure><img src="{picture_data(picture, "WEBP")}" alt="{escape(alt)}"><figcaption>{escape(caption)} '
        f'<button type="button" class="fer-link" data-save="{name}">Save as PNG</button></figcaption></figure>'
    )


def _keep(sheet: Image.Image, name: str) -> str:
    """The sheet is not shown: it holds what the page shows already."""
    return (
        f'<p class="fer-keep"><button type="button" class="fer-link" data-save="{name}" '
        f'data-picture="{picture_data(sheet, "WEBP")}">Save all of this as one picture</button></p>'
    )


def _question(visit: Visit, explained: Explanation) -> str:
    """What the heat answers, and how likely the model takes an emotion to be that it did not name."""
    number = f"Face {visit.chosen + 1}: " if len(visit.faces) > 1 else ""
    asked = f"what speaks {_aim(explained)}?" if explained.targeted else "where the network attends"
    chance = ""
    if explained.targeted and explained.target != explained.emotion:
        names = (explained.target, explained.emotion)
        given = (f"{name} {explained.probabilities[name]:.0%}" for name in names)
        chance = f" The model gives {', and '.join(given)}."
    title = EXPLAINERS[explained.method].title
    return f'<p class="fer-question-asked"><b>{number}{escape(title)}, {asked}</b>{chance}</p>'


def _aim(explained: Explanation) -> str:
    return f"{'for or against' if explained.signed else 'for'} {explained.target}"


def _ready(explained: Explanation) -> str:
    return f"Explanation {f'for {explained.target} ' if explained.targeted else ''}ready."


def _heat_alt(explained: Explanation) -> str:
    if not explained.targeted:
        return "Heatmap of where the network attends"
    return f"Heatmap of the pixels that speak {_aim(explained)}"


def _joined(words: str, place: str) -> str:
    return f"{words}, {place[:1].lower()}{place[1:]}"


def _beside(picture: np.ndarray, words: str) -> str:
    """A picture that belongs to the explanation and carries no heat."""
    caption = escape(words[:1].upper() + words[1:])
    return (
        f'<figure><img class="fer-pixels" src="{picture_data(picture)}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _legend(explained: Explanation) -> str:
    from fer_core.explain.heat_colours import INFERNO, RD_BU
    from fer_core.explain.legend import legend_words

    left, right = map(escape, legend_words(explained.signed, explained.target, targeted=explained.targeted))
    colours = ",".join(RD_BU if explained.signed else INFERNO)
    scale = f'<i style="background:linear-gradient(to right,{colours})"></i>'
    span = f"<span>({escape(explained.range_text)})</span>" if explained.range_text else ""
    return f'<p class="fer-legend"><span>{left}</span>{scale}<span>{right}</span>{span}</p>'


def _paint(emotion: str) -> str:
    colour = COLOURS[emotion]
    return f"--paint:{colour};--ink:{ink_on(colour)}"


def _photo_alt(visit: Visit) -> str:
    if not visit.faces:
        return "The photo; no face was found in it"
    found = ", ".join(f"{one.emotion} {one.confidence:.0%}" for one in visit.faces)
    return f"The photo, with the emotion of each face: {found}"


def _short(count: int) -> str:
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f} million"
    return f"{count:,}"


WEBCAM_NOTE: Final = (
    '<p class="fer-message fer-note" data-insecure hidden>The camera stays off: browsers give it to a page only over '
    "HTTPS or on localhost, and this page is neither. Open it on the machine that serves it, or put an HTTPS proxy in "
    "front. Uploading and pasting work all the same.</p>"
)
"""Why the camera is missing; the page's script shows it only where the browser withholds cameras."""
