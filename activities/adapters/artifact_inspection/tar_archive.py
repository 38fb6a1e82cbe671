"""Tar archives: their files, and what in them is no file."""

import io
import tarfile

from activities.adapters.artifact_inspection.compressed import CHUNK, DAMAGE, UNPACKED_AT_MOST, gathered
from activities.adapters.artifact_inspection.zip_archive import MEMBERS_AT_MOST, Archive, Member, leaves_folder


def is_tar(data: bytes) -> bool:
    """Whether the first header is one of a POSIX or GNU tar archive."""
    return data[257:262] == b"ustar"


def open_tar(data: bytes) -> Archive:
    """What is in a tar archive, up to the caps."""
    members, problems, evil, budget = list[Member](), list[str](), False, UNPACKED_AT_MOST
    try:
        archive = tarfile.open(fileobj=io.BytesIO(data), mode="r:")  # noqa: SIM115 - in memory, nothing to close
        for entry in archive:
            if len(members) >= MEMBERS_AT_MOST:
                problems.append(f"The archive holds more than {MEMBERS_AT_MOST} files.")
                break
            if leaves_folder(entry.name) or not (entry.isfile() or entry.isdir()) or entry.issparse():
                problems.append(
                    "Something in the archive is a link, a device, or leads out of the archive's own folder."
                )
                evil = True
            elif entry.isfile() and (stream := archive.extractfile(entry)):
                content = gathered(iter(lambda: stream.read(CHUNK), b""), budget)
                members.append(Member(entry.name, content))
                budget -= len(content.data)
        end = archive.offset
    except (*DAMAGE, tarfile.TarError):
        return Archive(tuple(members), (*problems, "The archive is damaged or cut off."), evil)
    names = [member.name.casefold() for member in members]
    if len(set(names)) < len(names):
        problems.append("Two files in the archive have the same name, so two programs would read different ones.")
        evil = True
    if data[end:].strip(b"\0"):
        problems.append("The archive holds bytes behind its end.")
    return Archive(tuple(members), tuple(dict.fromkeys(problems)), evil)
