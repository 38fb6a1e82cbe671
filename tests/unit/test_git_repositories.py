"""The code of a commit: exactly that, whatever the repository says about it, and nothing of it runs."""

import subprocess
from pathlib import Path

import pytest

from activities.adapters.git_repositories import GitRepositories
from models.errors import InvalidInputError, UnknownNameError
from models.inventory import Source

ADDRESS = "git@example.com:credit.git"


class Clone:
    """A repository in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet")

    def git(self, *words: str, given: str = "") -> str:
        """What git says."""
        who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false")
        command = ["git", "-C", str(self.folder), *who, *words]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, **files: str) -> Source:
        """Files, committed; underscores stand for dots."""
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a commit")
        return Source(repository=ADDRESS, commit=self.git("rev-parse", "HEAD"))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone with nothing in it."""
    return Clone(tmp_path / "clone")


@pytest.fixture
def repositories(clone: Clone) -> GitRepositories:
    """What the worker has."""
    return GitRepositories({ADDRESS: clone.folder})


def test_every_file_of_the_commit(clone: Clone, repositories: GitRepositories) -> None:
    """Of that commit and no later one; names and bytes as they are, and what git is told to leave out as well."""
    hidden = ".env export-ignore\n*.py filter=evil text eol=crlf\n"
    source = clone.commit(train_py="print(1)\n", _env="A=1\n", _gitattributes=hidden, **{"ein Täst_bin": "\0\r\n"})
    clone.commit(train_py="print(2)\n")
    assert repositories.tree(source) == {
        ".env": b"A=1\n",
        ".gitattributes": hidden.encode(),
        "ein Täst.bin": b"\0\r\n",
        "train.py": b"print(1)\n",
    }


def test_nothing_stands_in_for_an_object(clone: Clone, repositories: GitRepositories) -> None:
    """Neither a replacement of the commit nor a graft shows other code."""
    evil = clone.commit(train_py="evil()\n")
    harmless = clone.commit(train_py="pass\n")
    clone.git("replace", evil.commit, harmless.commit)
    assert clone.git("show", f"{evil.commit}:train.py") == "pass"
    assert repositories.tree(evil) == {"train.py": b"evil()\n"}


def test_links_are_left_out_and_submodules_refused(clone: Clone, repositories: GitRepositories) -> None:
    """A link has no code of its own; a submodule has, elsewhere."""
    (clone.folder / "link.py").symlink_to("/etc/passwd")
    source = clone.commit(a_py="a = 1\n")
    assert repositories.tree(source) == {"a.py": b"a = 1\n"}
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{source.commit},vendored")
    clone.git("commit", "--quiet", "-m", "a submodule")
    with pytest.raises(InvalidInputError, match=r"'vendored' of .* is a submodule"):
        repositories.tree(Source(repository=ADDRESS, commit=clone.git("rev-parse", "HEAD")))


def test_what_is_not_there(clone: Clone, repositories: GitRepositories, tmp_path: Path) -> None:
    """A repository that is not listed, even where its path is known; a commit, a file, a folder that is not there."""
    source = clone.commit(a_py="a = 1\n")
    with pytest.raises(UnknownNameError, match="has no clone of"):
        repositories.tree(Source(repository=str(clone.folder), commit=source.commit))
    with pytest.raises(UnknownNameError, match="git cannot read"):
        repositories.tree(Source(repository=ADDRESS, commit="ab" * 20))
    with pytest.raises(UnknownNameError, match="git cannot read"):
        GitRepositories({ADDRESS: tmp_path / "gone"}).tree(source)
    blob = clone.git("rev-parse", f"{source.commit}:a.py")
    (clone.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(InvalidInputError, match=r"'a.py' of .* is missing from the clone"):
        repositories.tree(source)


def test_an_empty_commit(clone: Clone, repositories: GitRepositories) -> None:
    """No files are no files."""
    assert repositories.tree(clone.commit()) == {}
