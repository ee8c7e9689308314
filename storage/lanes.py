"""Who owns a lane: the epoch fences an owner that was paused."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from core.dispatch import Lane
from storage.types import UTCDateTime


class Fenced(Exception):  # noqa: N818 - nobody erred
    """Another owner has taken the lane over; what was done under the old epoch is not recorded."""


class LaneRow(SQLModel, table=True):
    """One lane and its current owner's epoch."""

    __tablename__ = "lanes"

    lane: Lane = Field(sa_type=Text, primary_key=True)
    epoch: int = 0
    owner: str = ""
    taken_at: datetime = Field(sa_type=UTCDateTime)
