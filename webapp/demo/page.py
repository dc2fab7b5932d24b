"""The demo's page: what stands where, and which function answers which control."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import gradio as gr
from PIL import Image

from fer_core.errors import FerError, ImageError
from fer_core.explain import DEFAULT_METHOD, EXPLAINERS, ChoiceControl, Control
from webapp.demo import handlers, sessions, views
from webapp.demo.examples import EXAMPLES
from webapp.demo.handlers import FORGOTTEN, PREDICTED, Visit
from webapp.demo.models import Models
from webapp.demo.photo_input import PhotoInput
from webapp.demo.uploads import LARGEST, SWEEP

HERE: Final = Path(__file__).parent
SCRIPT: Final = (HERE / "page.js").read_text(encoding="utf-8")
SHOW_ANSWER: Final = """() => {
  const answer = document.querySelector("#message .fer-message, #summary .fer-summary");
  const below = answer && answer.getBoundingClientRect().top > window.innerHeight * 0.8;
  if (below) answer.scrollIntoView({ block: "start" });
}"""
"""On a phone the answer stands below the window's edge."""

ASK: Final = "() => document.getElementById('ask').click()"
"""Whatever calls for another explanation asks through one button: of several at once, the last one counts."""

CHOSEN_FACE: Final = "(visit, index) => [visit, window.ferChosen.face]"
CHOSEN_EXAMPLE: Final = "(checkpoint, index) => [checkpoint, window.ferChosen.example]"
"""What was clicked last; an event that waited comes with the data of the one that it waited for."""

REMEMBERED: Final = 15 * 60
"""Seconds after which the server forgets a photo that nobody touched."""

VISITORS: Final = 200
"""Visitors whose last photo is remembered; one more makes it forget who was away longest."""

EMPTY: Final = (
    "Your answer appears here: every face in a box, a probability for each emotion, the 48 by 48 pixels that the model "
    "saw, and which of them it went by. No photo at hand? Take one of the examples."
)
BROKEN: Final = "Something went wrong here, and not through your photo. Please try again; if it stays, restart the app."

UNEXPLAINED: Final = (
    "This model is no network and no mean of networks, so there is nothing inside to look at. "
    "Choose another one to see which pixels it goes by."
)

INTRODUCTION: Final = """
# Which expression does a network see?

Add a photo. Every face in it is found, cut out, made grey and 48 by 48 pixels small, and judged by a network trained on
FER2013. Then see which pixels it went by.
"""

RESPONSIBLE: Final = """
**Read with care.** The model names the *expression* that people would most likely give to a picture; it does not know
what anybody feels. People agree with FER2013's labels about 65 % of the time, and the model repeats the data's errors
and imbalances. Not for decisions about people: the EU AI Act bans inferring emotions at work and in education.

**Your photo stays here.** It is judged by this server, its file is deleted seconds after it was read, and the page asks
no other host for anything. What you see is forgotten when you close the page, press *Start over*, or leave it for 15
minutes.
"""

Update = dict[Any, Any]
"""Components of the page and their new values; the others stay as they are."""

log = logging.getLogger(__name__)

_HIDDEN: Final[dict[str, Any]] = {"api_visibility": "private", "queue": False}
"""Options of every event but the two endpoints.

The queue answers over a stream that it closes after each event, and an event that begins just then never hears its
answer; so the page's events are answered directly, and what is heavy waits for its turn here.
"""

_LAST: Final[dict[str, Any]] = {**_HIDDEN, "trigger_mode": "always_last"}
"""For whatever may be asked again before it was answered; otherwise the second time would be lost."""

AT_ONCE: Final = 4
_TURNS: Final = threading.BoundedSemaphore(AT_ONCE)
"""Photos that are judged at the same time, which bounds the memory that many visitors take."""


def build_demo(models: Models, *, links: bool = True) -> gr.Blocks:
    """The whole page over some models.

    Args:
        models: what judges and explains.
        links: whether the landing page and the dashboard stand beside it on the same address.
    """
    demo = _Blocks(title="Demo · FER", analytics_enabled=False, delete_cache=SWEEP, fill_width=False)
    demo.state_session_capacity = VISITORS
    with demo:
        _Page(models, links).wire(demo)
        add_endpoints(models)
    demo.has_launched = True  # it is mounted, not launched, and Gradio checks no path before
    sessions.watch(demo, REMEMBERED)
    return demo.queue(default_concurrency_limit=AT_ONCE, max_size=64, api_open=False)


def look() -> dict[str, Any]:
    """Arguments of launch and mount that make the page look as it does and keep it to itself."""
    font = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    theme = gr.themes.Default(
        primary_hue="indigo", neutral_hue="slate", font=font, font_mono=["ui-monospace", "monospace"]
    )
    return {
        "theme": theme,
        "css_paths": [HERE / "style.css"],
        "footer_links": ["api"],
        "run_history": False,
        "max_file_size": LARGEST,
        "show_error": True,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
        "enable_monitoring": False,
    }


class _Blocks(gr.Blocks):
    """Gradio's blocks, which also answer programs that know an endpoint from before it had its last argument."""

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Gradio's own clients fill in defaults; a plain request with one value too few gets them here."""
        if block_fn.api_name == "explain" and len(inputs) == len(block_fn.inputs) - 1:
            inputs.append("")
        super().validate_inputs(block_fn, inputs)


class _Page:
    """The components, in the order of the page, and their wiring."""

    def __init__(self, models: Models, links: bool) -> None:
        self.models = models
        self.visit = gr.State(None)
        if links:
            gr.HTML(_NAVIGATION)
        gr.Markdown(INTRODUCTION, elem_classes="fer-introduction")
        with gr.Row(equal_height=False):
            with gr.Column(scale=4, min_width=320, elem_classes="fer-question"):
                self._build_question()
            with gr.Column(scale=7, min_width=320):
                self._build_answer()
        gr.Markdown(RESPONSIBLE, elem_classes="fer-responsible")

    def _build_question(self) -> None:
        self.photo = PhotoInput(
            label="Your photo",
            sources=["upload", "webcam", "clipboard"],
            height=260,
            buttons=[],
            elem_id="photo-input",
            placeholder="Drop a photo here\n- or -\nClick to choose one",
        )
        _html(views.WEBCAM_NOTE)
        gr.Markdown("**Or try one of these**")
        self.examples = _html(views.examples(EXAMPLES), elem_id="examples")
        choices = list(self.models.names)
        self.checkpoint = gr.Dropdown(
            choices, value=self.models.default, label="Model", elem_id="model", filterable=False, interactive=True
        )
        self.about = gr.HTML(views.model_line(self.models.card(self.models.default)))

    def _build_answer(self) -> None:
        self.message = _html(views.message(EMPTY, announced=False), elem_id="message")
        self.ask = gr.Button("Explain", visible="hidden", elem_id="ask")
        self.chosen = gr.Number(0, precision=0, visible=False)
        self.whole = gr.Button("Classify the whole picture anyway", visible=False, variant="primary", elem_id="whole")
        with gr.Column(visible=False, elem_id="answer") as self.answer:
            self.summary = _html(elem_id="summary")
            self.picture = _html(elem_id="picture")
            self.chooser = _html(elem_id="chooser")
            with gr.Column(visible=False) as self.details:
                self.face = _html(elem_id="face")
                self.unexplained = _html(views.message(UNEXPLAINED), visible=False, elem_id="unexplained")
                with gr.Column() as self.explanation:
                    self._build_explanation()
            self.again = gr.Button("Start over", size="sm", elem_id="again")

    def _build_explanation(self) -> None:
        gr.Markdown("### Which pixels did it go by?")
        self.offered = gr.State("")
        with gr.Row():
            self.method = gr.Dropdown(
                _choices(EXPLAINERS),
                value=DEFAULT_METHOD,
                label="Method",
                elem_id="method",
                filterable=False,
                min_width=200,
            )
            self.target = gr.Dropdown(
                _targets(self.models.card(self.models.default).labels),
                value=PREDICTED,
                label="Emotion to explain",
                elem_id="target",
                filterable=False,
                min_width=150,
            )
            self.opacity = gr.Slider(
                0, 1, value=0.6, step=0.05, label="Opacity", elem_id="opacity", min_width=150, buttons=[]
            )
        self.method_line = gr.HTML(_about_method(DEFAULT_METHOD))
        self.groups, self.controls = _build_controls(DEFAULT_METHOD)
        self.overlay = _html(elem_id="overlay")

    def wire(self, demo: gr.Blocks) -> None:
        """Connects controls and functions."""
        answer = self._answer_outputs()
        # pasting is two inputs, an empty one and the picture: the second may come while the first is on its way
        started = [self.photo.input(self._classify, [self.photo, self.checkpoint], answer, **_LAST)]
        example, face = [self.checkpoint, self.chosen], [self.visit, self.chosen]
        started.append(self.examples.choose(self._example, example, answer, js=CHOSEN_EXAMPLE, **_LAST))
        started.append(self.whole.click(self._whole, [self.visit], answer, **_LAST))
        switched, changed = [self.visit, self.summary, self.checkpoint], [*answer, self.about, self.target]
        started.append(self.checkpoint.input(self._switch, switched, changed, **_LAST))
        for block in (self.picture, self.chooser):
            started.append(block.choose(self._choose, face, answer, js=CHOSEN_FACE, **_LAST))
        for event in started:
            event.then(None, js=SHOW_ANSWER, **_HIDDEN)
            offered = event.then(self._offer, self._offer_inputs(), self._offer_outputs(), **_LAST)
            offered.then(None, js=ASK, **_HIDDEN)
        self._wire_explanation()
        restarted = self.again.click(self._restart, None, answer, **_LAST)
        restarted.then(None, js=ASK, **_HIDDEN)  # what was still being explained must not stay
        demo.unload(_forget_session(demo))

    def _wire_explanation(self) -> None:
        method = self.method.input(self._choose_method, [self.method], self._method_outputs(), **_LAST)
        method.then(None, js=ASK, **_HIDDEN)
        moved = [
            control.release if isinstance(control, gr.Slider) else control.input
            for control in (self.opacity, *self.controls.values())
        ]
        gr.on(
            [self.ask.click, self.target.input, *moved],
            self._explain,
            self._explain_inputs(),
            self._answer_outputs(),
            show_progress="minimal",
            show_progress_on=[self.overlay],
            **_LAST,
        )

    def _answer_outputs(self) -> list[Any]:
        """Everything that shows or holds something of a visitor's photo."""
        page = [self.visit, self.photo, self.message, self.whole, self.answer, self.details]
        return [*page, self.summary, self.picture, self.chooser, self.face, self.overlay]

    def _method_outputs(self) -> list[Any]:
        return [self.method_line, self.target, *self.groups.values()]

    def _offer_inputs(self) -> list[Any]:
        return [self.visit, self.offered, self.method]

    def _offer_outputs(self) -> list[Any]:
        parts = [self.offered, self.unexplained, self.explanation, self.method]
        return [*parts, *self._method_outputs(), *self.controls.values()]

    def _explain_inputs(self) -> list[Any]:
        return [self.visit, self.summary, self.method, self.target, self.opacity, *self.controls.values()]

    def _classify(self, photo: bytes | None, checkpoint: str) -> Update:
        if photo is None:
            return gr.skip()
        return self._answer(lambda: handlers.classify(self.models, checkpoint, photo))

    def _example(self, checkpoint: str, index: int) -> Update:
        picture = EXAMPLES[index].picture
        return self._answer(lambda: handlers.classify(self.models, checkpoint, picture))

    def _whole(self, visit: Visit | None) -> Update:
        return self._answer(lambda: handlers.classify_whole(self.models, visit))

    def _choose(self, visit: Visit | None, index: int) -> Update:
        return self._answer(lambda: handlers.choose(visit, index), self._show_choice)

    def _switch(self, visit: Visit | None, shown: str, checkpoint: str) -> Update:
        """Args as Gradio hands them over; `shown`: the summary on the page, which is there as long as an answer is."""
        card = self.models.card(checkpoint)
        update = {self.about: views.model_line(card), self.target: gr.Dropdown(_targets(card.labels), value=PREDICTED)}
        if visit is not None:
            return update | self._answer(lambda: handlers.switch_model(self.models, visit, checkpoint))
        return update | (self._forgotten() if shown else {})

    def _answer(self, work: Callable[[], Visit], show: Callable[[Visit], Update] | None = None) -> Update:
        """What the page shows of an answer; what goes wrong becomes a sentence on it."""
        try:
            with _TURNS:
                visit = work()
            return (show or self._show)(visit)
        except FerError as error:
            return self._empty(views.message(str(error), "error"))
        except Exception:
            log.exception("the demo could not answer")
            return self._empty(views.message(BROKEN, "error"))

    def _show(self, visit: Visit) -> Update:
        found = bool(visit.faces)
        return {
            self.photo: None,
            self.message: views.message(views.found(visit)),
            self.whole: gr.Button(visible=not found),
            self.answer: gr.Column(visible=True),
            self.details: gr.Column(visible=found),
            self.summary: views.summary(visit),
            **self._show_face(visit),
        }

    def _show_choice(self, visit: Visit) -> Update:
        return self._show_face(visit, announced=True)

    def _show_face(self, visit: Visit, *, announced: bool = False) -> Update:
        """The chosen face; of the one before nothing stays, its heat neither."""
        html = ""
        if visit.faces:
            card = self.models.card(visit.checkpoint)
            reliability = handlers.reliability(card, visit.face.emotion)
            html = views.face(visit, reliability, card.field_side, announced=announced)
        return {
            self.visit: visit,
            self.picture: views.photo(visit),
            self.chooser: views.chooser(visit),
            self.face: html,
            self.overlay: "",
        }

    def _empty(self, message: str) -> Update:
        """A page that shows and remembers nothing but the message."""
        hidden = gr.Column(visible=False)
        controls = {self.whole: gr.Button(visible=False), self.answer: hidden, self.details: hidden}
        texts = dict.fromkeys((self.summary, self.picture, self.chooser, self.face, self.overlay), "")
        return {self.visit: None, self.photo: None, self.message: message, **controls, **texts}

    def _restart(self) -> Update:
        return self._empty(views.message("Forgotten. Add another photo whenever you like."))

    def _forgotten(self) -> Update:
        """Where the page shows an answer that the server has forgotten."""
        return self._empty(views.message(FORGOTTEN, "error"))

    def _choose_method(self, method: str) -> Update:
        target = gr.Dropdown(visible=EXPLAINERS[method].targeted)
        groups = {group: gr.Column(visible=name == method) for name, group in self.groups.items()}
        return {self.method_line: _about_method(method), self.target: target, **groups}

    def _offer(self, visit: Visit | None, offered: str, method: str) -> Update:
        """The methods that suit the model in use, with its ranges; changes the page only with the model."""
        if visit is None or not visit.faces or visit.checkpoint == offered:
            return gr.skip()
        methods = self.models.methods(visit.checkpoint)
        chosen = method if method in methods else next(iter(_ordered(methods)), DEFAULT_METHOD)
        return {
            self.offered: visit.checkpoint,
            self.unexplained: gr.HTML(visible=not methods),
            self.explanation: gr.Column(visible=bool(methods)),
            self.method: gr.Dropdown(_choices(methods), value=chosen if methods else None),
            **self._choose_method(chosen),
            **self._ranges(methods),
        }

    def _ranges(self, methods: Mapping[str, tuple[Control, ...]]) -> Update:
        """Every control of the model's methods at its default, in the model's range."""
        known = {(name, control.name): control for name, found in methods.items() for control in found}
        return {part: _update_control(known[key]) for key, part in self.controls.items() if key in known}

    def _explain(
        self, visit: Visit | None, shown: str, method: str, target: str, opacity: float, *values: Any
    ) -> Update:
        """Args as Gradio hands them over; `shown` as in `_switch`."""
        if visit is None and shown:
            return self._forgotten()
        if visit is None or not visit.faces or not self.models.methods(visit.checkpoint):
            return {self.overlay: ""}
        given = {name: value for (owner, name), value in zip(self.controls, values, strict=True) if owner == method}
        try:
            explained = handlers.explain(self.models, visit, method, target, given)
            pictures = *handlers.overlays(visit, explained, opacity), handlers.sheet(visit, explained, opacity)
            return {self.overlay: views.explanation(visit, explained, *pictures)}
        except FerError as error:
            return {self.overlay: views.message(str(error), "error")}
        except Exception:
            log.exception("the demo could not explain")
            return {self.overlay: views.message(BROKEN, "error")}


def add_endpoints(models: Models) -> None:
    """`/classify` and `/explain`, which other programs call; nothing of them is seen on the page."""
    photo = PhotoInput(label="image", visible=False)
    method = gr.Textbox(DEFAULT_METHOD, label="method", visible=False)
    target = gr.Textbox("", label="target", info="an emotion; empty: the one that the model names", visible=False)
    model = gr.Textbox("", label="model", info="a model of the page; empty: the one to begin with", visible=False)
    answer, overlay = gr.JSON(visible=False, label="faces"), gr.Image(visible=False, format="png", label="overlay")

    def classify(image: bytes | None) -> dict[str, Any]:
        return _served(lambda: handlers.as_document(handlers.classify(models, models.default, image)))

    def explain(image: bytes | None, method: str, target: str, model: str = "") -> Image.Image:
        return _served(lambda: _overlay(models, image, method, target, model))

    trigger = gr.Button(visible=False)
    trigger.click(
        classify, [photo], [answer], api_name="classify", api_description="A picture -> its faces and their emotions."
    )
    trigger.click(
        explain,
        [photo, method, target, model],
        [overlay],
        api_name="explain",
        api_description="A picture -> which pixels of its largest face speak for an emotion, as an overlay.",
    )


def _overlay(models: Models, image: bytes | None, method: str, target: str, model: str) -> Image.Image:
    visit = handlers.classify(models, model or models.default, image)
    if not visit.faces:
        raise ImageError(visit.result.message)
    explained = handlers.explain(models, visit, method or DEFAULT_METHOD, target or PREDICTED)
    on_face, on_photo = handlers.overlays(visit, explained, 0.6)
    return on_photo or on_face


def _served(work: Callable[[], Any]) -> Any:
    """What went wrong, told to the calling program in the same sentence as to a visitor."""
    try:
        with _TURNS:
            return work()
    except FerError as error:
        raise gr.Error(str(error), print_exception=False) from None


def _html(value: str = "", **options: Any) -> gr.HTML:
    return gr.HTML(value, js_on_load=SCRIPT, **options)


def _ordered(methods: Iterable[str]) -> list[str]:
    """The default first, then what explains an answer, then what shows attention, whatever the answer."""
    return sorted(methods, key=lambda name: (name != DEFAULT_METHOD, not EXPLAINERS[name].targeted))


def _choices(methods: Iterable[str]) -> list[tuple[str, str]]:
    return [(EXPLAINERS[name].title, name) for name in _ordered(methods)]


def _targets(labels: tuple[str, ...]) -> list[tuple[str, str]]:
    return [("as predicted", PREDICTED), *((label, label) for label in labels)]


def _about_method(name: str) -> str:
    return f'<p class="fer-model">{EXPLAINERS[name].description}</p>'


def _build_controls(shown: str) -> tuple[dict[str, gr.Column], dict[tuple[str, str], Any]]:
    """A group of sliders per method that declares controls; only the shown method's is visible."""
    groups, controls = {}, {}
    for name, explainer in EXPLAINERS.items():
        if explainer.controls:
            with gr.Column(visible=name == shown) as groups[name], gr.Row():
                for control in explainer.controls:
                    controls[name, control.name] = _build_control(control)
    return groups, controls


def _build_control(control: Control) -> gr.Slider | gr.Dropdown:
    if isinstance(control, ChoiceControl):
        return gr.Dropdown(
            list(control.choices), value=control.default, label=control.label, info=control.help, min_width=200
        )
    return gr.Slider(
        control.minimum,
        control.maximum,
        value=control.default,
        step=control.step,
        label=control.label,
        info=control.help,
        buttons=[],
        min_width=200,
    )


def _update_control(control: Control) -> gr.Slider | gr.Dropdown:
    """The control at its default; hidden where there is one layer or head, for which 0 and 1 are the same."""
    if isinstance(control, ChoiceControl):
        return gr.Dropdown(list(control.choices), value=control.default)
    return gr.Slider(maximum=control.maximum, value=control.default, visible=control.maximum > control.minimum + 1)


def _forget_session(demo: gr.Blocks) -> Callable[[gr.Request], None]:
    """Drops everything that Gradio keeps about a visitor when the page is closed."""

    def forget(request: gr.Request) -> None:
        sessions.forget(demo, request.session_hash or "")

    return forget


_NAVIGATION: Final = (
    '<nav class="fer-navigation" aria-label="Pages"><a href="../">FER</a><a href="./" aria-current="page">Demo</a>'
    '<a href="../dashboard/">Dashboard</a></nav>'
)
