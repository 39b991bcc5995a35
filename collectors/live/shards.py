"""Assigns a feed's arguments to its sockets, so that a changed list moves as few of them as possible. Pure."""

from collections.abc import Sequence

from collectors.venues.venue import Feed, Limits


def assign(feed: Feed, sockets: Sequence[Feed], limits: Limits) -> list[Feed]:
    """Spread `feed.args` over sockets within the limits, starting from how they are spread now.

    What is no longer wanted leaves its socket, what is new goes to the first with room. Sockets keep their place and
    name; one may be left without arguments. Returns as many as were there, or more.
    """
    wanted = dict.fromkeys(feed.args)
    kept = [[arg for arg in socket.args if arg in wanted] for socket in sockets]
    placed = {arg for args in kept for arg in args}
    rooms = [_Room(args, limits) for args in kept]
    at = 0
    for arg in (arg for arg in wanted if arg not in placed):
        while at < len(rooms) and not rooms[at].takes(arg):
            at += 1
        if at == len(rooms):
            rooms.append(_Room([], limits))
        rooms[at].add(arg)
    return [feed._replace(name=_name(feed.name, i), args=tuple(room.args)) for i, room in enumerate(rooms)]


def _name(name: str, index: int) -> str:
    return f"{name}-{index + 1}" if index else name


class _Room:
    def __init__(self, args: list[str], limits: Limits) -> None:
        self.args = args
        self._limits = limits
        self._chars = sum(len(arg) + 3 for arg in args)  # two quotes and a comma

    def takes(self, arg: str) -> bool:
        chars = self._chars + len(arg) + 3
        return len(self.args) < self._limits.args_per_socket and chars <= self._limits.chars_per_socket

    def add(self, arg: str) -> None:
        self.args.append(arg)
        self._chars += len(arg) + 3
