"""One bundle at work: a body becomes rows, rows become answers, answers a reply; monitor and adapter see them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle
from temperance.deployment.serve import binary
from temperance.deployment.serve.intake import Intake, listed
from temperance.deployment.serve.metrics import Metrics
from temperance.deployment.serve.protocol import Protocol
from temperance.deployment.serve.replies import Replies
from temperance.deployment.serve.watch import PostProcessor, Remembers, Watcher
from temperance.records.errors import RequestError
from temperance.records.schema import Rows

if TYPE_CHECKING:
    from temperance.deployment.serve.admin import Admin
    from temperance.deployment.serve.keep import Keep

SLICE = 256  # rows that the watcher and the adapter take at once
AT_ONCE = 4096  # answers that are objects at once
Answers = NDArray[Any]


class Packed(NamedTuple):
    """A reply: its JSON and the data of binary tensors behind it."""

    head: bytes
    data: bytes = b""


class Whose(NamedTuple):
    """Rows of one request: its id, their count, and whether others of it came before."""

    ident: str
    rows: int
    more: bool = False


class Question(NamedTuple):
    """What a body asks: raw rows, the id that labels find them by, and how the answers are written."""

    rows: Rows
    ident: str
    reply: Callable[[Answers], Packed]


class Answering:
    """Answers for one bundle.

    Args:
        bundle: the loaded model.
        watcher: sees all served traffic, e.g. ``monitoring.Monitor``.
        adapter: may change predictions, e.g. ``adaptation.Steward``; None: they are sent as they are.
        admin: answers ``/admin/…``; with it answers are kept by request id, so that labels find them.
        keep: where state is written.
        metrics: counts rows, time and alarms; None: nothing counts.
        recent: keeps answers by request id where there is no ``admin`` here.

    """

    def __init__(
        self, bundle: Bundle, *, watcher: Watcher | None = None, adapter: PostProcessor | None = None,
        admin: Admin | None = None, keep: Keep | None = None, metrics: Metrics | None = None,
        recent: Remembers | None = None,
    ) -> None:  # fmt: skip
        self.bundle, self.watcher, self.adapter, self.admin, self.keep = bundle, watcher, adapter, admin, keep
        self.metrics, self._recent = metrics, admin.recent if admin is not None else recent
        self.intake, self.replies = Intake(bundle.schema), Replies(bundle)
        self.protocol = Protocol(bundle, self.intake, self.replies)

    def asked_rows(self, body: bytes, ident: str = "") -> Question:
        """Read the body of ``/predict``.

        Raises:
            RequestError: no JSON, no rows, or a value that does not fit; named.

        """
        content = parsed(body)
        rows = listed(content)
        if isinstance(rows, list):
            if not rows:
                raise RequestError("the list of rows is empty", "at least one row", status=422)
            return Question(self.intake.rows(rows), ident, self._written)
        if not isinstance(content, dict):
            raise RequestError("the body is no row", 'a JSON object, or {"rows": [object, …]}', status=422)
        return Question(
            self.intake.rows([content]), ident, lambda sent: Packed(orjson.dumps(self.replies.rows(sent)[0]))
        )

    def _written(self, sent: Answers) -> Packed:
        """Return many answers, some at a time: as objects they take ten times the room of their text."""
        cuts = (slice(i, i + AT_ONCE) for i in range(0, len(sent), AT_ONCE))
        parts = [orjson.dumps(self.replies.rows(sent[cut]))[1:-1] for cut in cuts]
        return Packed(b'{"predictions":[' + b",".join(parts) + b"]}")

    def asked_tensors(self, body: bytes, ident: str = "", *, head: bytes = b"") -> Question:
        """Read the body of ``infer``; ``head`` is the length of its JSON where binary tensors follow.

        Raises:
            RequestError: see ``Protocol.rows``.

        """
        data = b""
        if head:
            body, data = binary.parted(body, head)
        content = parsed(body)
        binary.fill(content, data)
        rows = self.protocol.rows(content)

        def reply(sent: Answers) -> Packed:
            told, tensors = self.protocol.reply(content, sent)
            return Packed(orjson.dumps(told), tensors)

        return Question(rows, content.get("id") or ident, reply)

    def answers(self, rows: Rows) -> Answers:
        """Return what the model as it was shipped says.

        Shapes: probabilities (b, c) or values (b,).

        Raises:
            RequestError: status 422; a row for which it has no finite answer.

        """
        source = self.bundle.predict(rows)
        check_finite(source)
        return source

    def serve(self, rows: Rows, ident: str = "") -> Answers:
        """Predict rows, show them to the watcher and let the adapter act; answers are kept under ``ident``.

        Shapes: probabilities (b, c) or values (b,).

        Raises:
            RequestError: see ``answers``.

        """
        begin = time.perf_counter()
        sent = self.seen(rows, self.answers(rows), [Whose(ident, rows.size)])
        if self.metrics is not None:
            self.metrics.prediction(rows.size, time.perf_counter() - begin)
        return sent

    def serve_many(self, rows: Rows, requests: Sequence[Whose]) -> Answers:
        """Serve the rows of several requests in one run; ``requests`` say whose they are, in order.

        Shapes: probabilities (b, c) or values (b,).

        Raises:
            RequestError: see ``answers``; nothing was shown to anybody then.

        """
        begin = time.perf_counter()
        sent = self.seen(rows, self.answers(rows), requests)
        if self.metrics is not None:
            self.metrics.prediction(rows.size, time.perf_counter() - begin, requests=len(requests))
        return sent

    def seen(self, rows: Rows, source: Answers, requests: Sequence[Whose] = ()) -> Answers:
        """Show rows and answers to watcher and adapter, and keep the answers by the ids of their requests.

        Shapes: source (b, c) or (b,) → alike.
        """
        if rows.size <= SLICE:
            return self._seen(rows, source, requests)
        return np.concatenate([*self.in_parts(rows, source, requests)])

    def in_parts(self, rows: Rows, source: Answers, requests: Sequence[Whose]) -> Iterator[Answers]:
        """Do what ``seen`` does, few rows at a time: watcher and adapter lock, and nobody is to wait long.

        Shapes: source (b, c) or (b,) → parts of it.
        """
        for whose, at in _placed(requests or [Whose("", rows.size)]):
            for i in range(at, at + whose.rows, SLICE):
                cut = slice(i, min(i + SLICE, at + whose.rows))
                yield self._seen(rows.take(cut), source[cut], [Whose(whose.ident, cut.stop - i, whose.more or i > at)])

    def _seen(self, rows: Rows, source: Answers, requests: Sequence[Whose]) -> Answers:
        if self.watcher is not None:
            changed = self.watcher.observe(rows, source)
            if changed and self.metrics is not None:
                self.metrics.alarms(sum(verdict.state == "alarm" for verdict in changed))
        sent, tickets = (source, None) if self.adapter is None else self.adapter.serve(rows, source)
        if self._recent is not None:
            for whose, at in _placed(requests):
                if whose.ident:
                    own = slice(at, at + whose.rows)
                    known = None if tickets is None else tickets[own]
                    self._recent.add(whose.ident, source[own], known, more=whose.more)
        return sent


def _placed(requests: Sequence[Whose]) -> Iterator[tuple[Whose, int]]:
    """Yield each request with the number of its first row."""
    at = 0
    for whose in requests:
        yield whose, at
        at += whose.rows


def check_finite(source: Answers) -> None:
    """Refuse answers that are not finite.

    Shapes: (b, c) or (b,).

    Raises:
        RequestError: status 422; the row is named.

    """
    if np.isfinite(source).all():
        return
    row = int(np.argmin(np.isfinite(source.reshape(len(source), -1)).all(axis=1)))
    raise RequestError(
        f"the model has no finite answer for row {row}", "numbers of the size that it was trained on",
        "Correct the row, or send null where a value is not known", status=422,
    )  # fmt: skip


def parsed(body: bytes) -> Any:
    """Return the JSON of a body.

    Raises:
        RequestError: it is none.

    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(f"the body is no valid JSON: {error}", "JSON in UTF-8") from error
