"""The open orders of one symbol, laid out so that a bar costs what happens in it, however many orders rest.

Orders that live for one bar (day, ioc) are all taken by it: they trade or expire. Good-till-cancel orders wait by price
until a bar reaches their limit, and from then on by arrival for volume. A bar yields the same as if all open orders
were asked one by one in the order of their arrival.

An order that is taken back, suspended, filled elsewhere or put in anew gets another ticket: its old place is void. It
keeps its arrival, also when it is replaced.

Limits: a void place is left when it is met, so memory may hold it until the price comes by.
"""

import sys
from bisect import insort
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TypeAlias

from peak_trade.broker.held import Held
from peak_trade.broker.matching import price_ticks
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Side, Tif

Place: TypeAlias = tuple[int, int, Held]
"""Where an order waits: its arrival, the ticket that this place is for, and the order."""


class Queue:
    """One symbol's open orders; arrival and ticket are unique, so the heaps never compare the orders themselves."""

    __slots__ = ("_brief", "_buys", "_due", "_sells")

    def __init__(self) -> None:
        self._brief: list[Place] = []
        self._due: list[Place] = []
        self._buys: list[tuple[int, int, int, Held]] = []
        self._sells: list[tuple[int, int, int, Held]] = []

    def add(self, held: Held) -> None:
        """Give an order a place by its arrival, and void any other that it has."""
        held.ticket += 1
        place = (held.arrival, held.ticket, held)
        if held.request.tif is Tif.GTC:
            heappush(self._due, place)
        elif self._brief and self._brief[-1][0] > held.arrival:
            insort(self._brief, place)
        else:
            self._brief.append(place)

    def match(self, bar: Bar, free_lots: int, slippage_ticks: int) -> Iterator[list[int]]:
        """Yield what the bar does, by arrival: [arrival, lots, ticks] for a trade, [arrival] for an expiry.

        At most `free_lots` are traded in all. The orders are not changed: the caller applies what was yielded, after
        the last of it.
        """
        brief, self._brief = self._brief, []
        self._wake(bar)
        for _, ticket, held in brief:
            leaves = held.leaves_lots
            if not leaves or ticket != held.ticket:
                continue  # void
            if free_lots and self._due and self._due[0][0] < held.arrival:
                for made in self._patient(bar, free_lots, slippage_ticks, held.arrival):
                    free_lots -= made[1]
                    yield made
            price = price_ticks(held.terms, bar, slippage_ticks) if free_lots else None
            lots = 0 if price is None else min(free_lots, leaves)
            if price is not None:
                free_lots -= lots
                yield [held.arrival, lots, price]
            if lots < leaves:
                yield [held.arrival]
        yield from self._patient(bar, free_lots, slippage_ticks, sys.maxsize)

    def _patient(self, bar: Bar, free_lots: int, slippage_ticks: int, before: int) -> Iterator[list[int]]:
        """Yield the trades of good-till-cancel orders that arrived before that one, as long as there is volume."""
        due = self._due
        unfinished: Place | None = None
        while free_lots and due and due[0][0] < before:
            item = heappop(due)
            held = item[2]
            if not held.leaves_lots or item[1] != held.ticket:
                continue  # void
            price = price_ticks(held.terms, bar, slippage_ticks)
            if price is None:
                self._rest(held)
                continue
            lots = min(free_lots, held.leaves_lots)
            free_lots -= lots
            if lots < held.leaves_lots:
                unfinished = item
            yield [held.arrival, lots, price]
        if unfinished is not None:  # the volume is used up: nobody asks it again for this bar
            heappush(due, unfinished)

    def _rest(self, held: Held) -> None:
        """Lay an order aside until a bar reaches its limit."""
        limit = held.terms.limit_ticks or 0
        if held.request.side is Side.BUY:
            heappush(self._buys, (-limit, held.arrival, held.ticket, held))
        else:
            heappush(self._sells, (limit, held.arrival, held.ticket, held))

    def _wake(self, bar: Bar) -> None:
        """Move the orders whose limit the bar reaches to those that are due."""
        while self._buys and -self._buys[0][0] >= bar.low_ticks:
            heappush(self._due, heappop(self._buys)[1:])
        while self._sells and self._sells[0][0] <= bar.high_ticks:
            heappush(self._due, heappop(self._sells)[1:])
