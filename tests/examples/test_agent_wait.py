"""Interrupts of agent frameworks: the page's code, run over small stand-ins with the semantics that their documents describe."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import pytest

from examples.ask import Onethread
from tests.examples.acts import press
from tests.handler.questions.acts import cards
from tests.kit.lambda_endpoint import ARN, LambdaEndpoint
from tests.kit.pages import blocks
from tests.kit.sam_template import ROOT
from tests.kit.table_view import CHANNEL

LANGGRAPH, OPENAI = blocks(ROOT / "examples" / "agent_wait.md", "python")
SHIP: Final = {"name": "deploy 42", "version": "1.2"}


class Killed(BaseException):
    """The process dies here."""


class Interrupted(Exception):
    """What `interrupt` raises as long as it has no answer."""


@dataclass
class Graph:
    """A graph of one node, and its checkpoint. A node that goes on runs again from its beginning.

    LangGraph docs, "Interrupts": resume values are matched by their order in the node; its interrupts have one id.
    """

    node: Callable[[dict[str, Any]], dict[str, Any]]
    values: dict[str, Any] = field(default_factory=dict)
    next: tuple[str, ...] = ()
    interrupts: tuple[Any, ...] = ()
    answers: list[Any] = field(default_factory=list)
    dies: int = 0  # so many more answers get lost with the process

    def get_state(self, config: dict[str, Any]) -> Any:
        assert config["configurable"]["thread_id"]
        return SimpleNamespace(values=self.values, next=self.next, interrupts=self.interrupts)

    def invoke(self, given: Any, config: dict[str, Any]) -> None:
        if isinstance(given, Command):
            if self.dies:
                self.dies -= 1
                raise Killed
            self.answers.append(given.resume[self.interrupts[0].id])
        elif given is not None:
            self.values, self.next, self.answers = dict(given), ("node",), []
        Command.running, Command.place = self, 0
        try:
            self.values |= self.node(self.values)
            self.next, self.interrupts = (), ()
        except Interrupted as interrupted:
            self.interrupts = (SimpleNamespace(id="id-of-the-node", value=interrupted.args[0]),)


@dataclass
class Command:
    """LangGraph's, and the graph that runs."""

    resume: dict[str, Any]
    running = Graph(dict)
    place = 0


def interrupt(value: Any) -> Any:
    """LangGraph's: an answer if there is one at this place of the node."""
    place, Command.place = Command.place, Command.place + 1
    if place < len(Command.running.answers):
        return Command.running.answers[place]
    raise Interrupted(value)


def load(monkeypatch: pytest.MonkeyPatch, module: str, source: str, **parts: Any) -> dict[str, Any]:
    """The page's code, with that module's parts in place of the framework."""
    stand_in = ModuleType(module)
    vars(stand_in).update(parts)
    monkeypatch.setitem(sys.modules, module.partition(".")[0], stand_in)
    monkeypatch.setitem(sys.modules, module, stand_in)
    loaded: dict[str, Any] = {"__name__": "page"}
    exec(compile(source, "agent_wait.md", "exec"), loaded)
    return loaded


@pytest.fixture
def langgraph(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return load(monkeypatch, "langgraph.types", LANGGRAPH, Command=Command, interrupt=interrupt)


def test_a_graph_goes_on_with_the_answer(endpoint: LambdaEndpoint, langgraph: dict[str, Any]) -> None:
    endpoint.before_await = [press]
    state = langgraph["run"](Graph(langgraph["approve"]), SHIP, "thread-1", Onethread(ARN), CHANNEL)
    assert state == {**SHIP, "approved": True}
    assert cards(endpoint.deployment)[0].content.startswith("Ship 1.2?")


def test_a_graph_whose_process_dies_with_the_answer_gets_it_again(
    endpoint: LambdaEndpoint, langgraph: dict[str, Any]
) -> None:
    graph = Graph(langgraph["approve"], dies=1)
    endpoint.before_await = [partial(press, label="no")]
    with pytest.raises(Killed):
        langgraph["run"](graph, SHIP, "thread-1", Onethread(ARN), CHANNEL)
    assert langgraph["run"](graph, SHIP, "thread-1", Onethread(ARN), CHANNEL)["approved"] is False
    assert endpoint.operations() == ["ask", "await", "ask"]
    assert len(cards(endpoint.deployment)) == 1


def test_two_interrupts_of_a_node_are_two_questions(endpoint: LambdaEndpoint, langgraph: dict[str, Any]) -> None:
    def twice(state: dict[str, Any]) -> dict[str, Any]:
        first = langgraph["approve"](state)
        return {**first, "again": langgraph["approve"]({**state, "version": "1.3"})["approved"]}

    endpoint.before_await = [press, partial(press, label="no")]
    state = langgraph["run"](Graph(twice), SHIP, "thread-1", Onethread(ARN), CHANNEL)
    assert (state["approved"], state["again"]) == (True, False)


@dataclass
class Run:
    """A run of OpenAI's SDK with one tool call that needs approval. `state`: what is known of that call."""

    state: dict[str, Any]

    @property
    def interruptions(self) -> list[Any]:
        call = SimpleNamespace(
            name="deploy", arguments='{"version": "1.2"}', raw_item=SimpleNamespace(call_id="call_1")
        )
        return [] if "decision" in self.state else [call]

    @property
    def final_output(self) -> str:
        return str(self.state["decision"])

    def to_state(self) -> "RunState":
        return RunState(dict(self.state))


@dataclass
class RunState:
    """OpenAI's, as far as the page uses it."""

    known: dict[str, Any]

    @staticmethod
    async def from_json(agent: Any, saved: dict[str, Any]) -> "RunState":
        return RunState(saved)

    def to_json(self) -> dict[str, Any]:
        return self.known

    def approve(self, item: Any) -> None:
        self.known = {**self.known, "decision": f"ran {item.name}"}

    def reject(self, item: Any, *, rejection_message: str) -> None:
        self.known = {**self.known, "decision": rejection_message}


class Runner:
    """OpenAI's: goes on from a state, or begins."""

    @staticmethod
    async def run(agent: Any, given: Any) -> Run:
        return Run(given.known if isinstance(given, RunState) else {"input": given})


@pytest.mark.parametrize(("label", "output"), [("approve", "ran deploy"), ("reject", "A person refused")])
def test_an_agents_tool_runs_if_somebody_approves_it_also_after_a_restart(
    endpoint: LambdaEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, label: str, output: str
) -> None:
    run = load(monkeypatch, "agents", OPENAI, Runner=Runner, RunState=RunState)["run"]
    saved = tmp_path / "run-1.json"
    endpoint.before_await = [partial(press, label=label)]
    for _ in range(2):
        assert asyncio.run(run(None, "Deploy 1.2", saved, Onethread(ARN), CHANNEL)).startswith(output)
    assert json.loads(saved.read_text()) == {"input": "Deploy 1.2"}
    assert endpoint.operations() == ["ask", "await", "ask"]
