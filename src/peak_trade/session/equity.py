"""What the account is worth from step to step: cash and positions at the last prices, money in ticks."""

from dataclasses import dataclass

from peak_trade.journal.record import Body
from peak_trade.session.book import Book
from peak_trade.session.clock import Moment


@dataclass(slots=True)
class Equity:
    """The worth after the last step, its highest so far, and what it was when the day began: the day before's last."""

    now_ticks: int = 0
    peak_ticks: int = 0
    day: str = ""
    day_start_ticks: int = 0

    @property
    def day_loss_ticks(self) -> int:
        """What was lost since the day began; 0 if nothing was."""
        return max(0, self.day_start_ticks - self.now_ticks)

    def valued(self, moment: Moment, book: Book) -> Body:
        """Value the account after a step, and return what the tape keeps of it."""
        equity = book.equity_ticks()
        if moment.day != self.day:
            self.day, self.day_start_ticks = moment.day, self.now_ticks or equity
        self.now_ticks = equity
        self.peak_ticks = max(self.peak_ticks, equity)
        body: Body = {
            "step": moment.step,
            "equity_ticks": equity,
            "cash_ticks": book.cash_ticks,
            "realized_ticks": sum(item.realized_ticks for item in book.positions.values()),
            "fees_ticks": book.fees_ticks,
            "drawdown_ticks": self.peak_ticks - equity,
            "open_orders": len(book.working),
            "gross_lots": sum(abs(item.lots) for item in book.positions.values()),
        }
        return {**body, "ts": moment.ts} if moment.ts else body
