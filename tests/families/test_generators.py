"""The whole way from a repository to its families, and the door."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from meta import generators, git
from meta.cli import main
from meta.errors import UserError
from meta.family import Coverage
from tests.families.histories import DAY, Made, T, repository
from tests.families.histories import git as run
from tests.families.test_units import get

NAMES = ("ebay", "tik_tok", "mailcow", "discogs", "steam")
NOW = T + 60 * DAY


def view(name: str) -> str:
    title = "".join(word.title() for word in name.split("_"))
    return (
        f'"""Sign in with {title}."""\nimport re\n\n\nclass {title}Adapter(OAuth2Adapter):\n    provider_id = "{name}"\n'
        f'    profile_url = "https://{name}.example.org/me"\n\n    def complete_login(self, request, token):\n'
        f"        headers = dict(authorization=token.token)\n"
        f"        response = requests.get(self.profile_url, headers=headers)\n"
        f"        return self.get_provider().login_from_response(request, response.json())\n"
    )


def shop(folder: Path, *, checkout: bool = False) -> Path:
    commits = [Made({"app/registry.py": "0", "README": "a shop"})]
    commits += [
        Made({f"app/providers/{name}.py": view(name), "app/registry.py": str(place + 1)}, 10 * place)
        for place, name in enumerate(NAMES)
    ]
    words = ("cart", "tax", "mail", "ship", "user")
    commits += [Made({f"lib/{word}.py": "x = " + word * 9}, 3 * place + 1) for place, word in enumerate(words)]
    return repository(folder, commits, checkout=checkout)


def test_members_that_are_alike_are_found_and_a_folder_of_different_things_is_not(tmp_path: Path) -> None:
    found = generators.found(shop(tmp_path), NOW)
    assert [family.paths for family in found.families] == [("app/providers/{X}.py",)]
    assert (found.commits, found.skipped) == (11, {"folders of different things": 1})


def test_what_is_still_added_comes_before_what_was_added_long_ago(tmp_path: Path) -> None:
    old = [Made({f"old/{name}.py": view(name)}, place) for place, name in enumerate(NAMES)]
    new = [Made({f"new/{name}.py": view(name)}, 900 + place) for place, name in enumerate(NAMES)]
    found = generators.found(repository(tmp_path, old + new), T + 905 * DAY)
    assert [family.paths[0] for family in found.families] == ["new/{X}.py", "old/{X}.py"]
    first, second = (generators.uses(found, family) for family in found.families)
    assert first > 1 > second
    new_one, old_one = (generators.worth(found, family, Coverage(0.6, 0.1))[1] for family in found.families)
    assert (new_one.build, old_one.build) == (True, False)


def test_a_bare_repository_tells_the_same_as_its_clone(tmp_path: Path) -> None:
    whole = shop(tmp_path / "whole", checkout=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(whole), str(tmp_path / "bare")], check=True)
    assert generators.found(tmp_path / "bare", NOW) == generators.found(whole, NOW)
    assert generators.units(tmp_path / "bare") == generators.units(whole)
    assert len(generators.units(whole).families) == 1


def test_no_repository_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([str(tmp_path)], [str(tmp_path), "--units"], [str(tmp_path / "none")]):
        assert main(["families", *arguments]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_repository_without_commits_has_no_family(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, "init", "-q")
    assert main(["families", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "No family was found.\n"
    assert generators.units(tmp_path).families == ()


def test_a_shallow_clone_says_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = shop(tmp_path / "whole")
    source = f"file://{whole}"
    subprocess.run(["git", "clone", "-q", "--depth", "2", source, str(tmp_path / "shallow")], check=True)
    assert main(["families", str(tmp_path / "shallow"), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["commits"] == 2
    assert told.err == "meta: only 2 commits are here. `git fetch --unshallow` brings the others.\n"
    assert main(["families", str(whole)]) == 0
    assert capsys.readouterr().err == ""


def test_a_partial_clone_says_what_it_lacks_and_fetches_nothing(tmp_path: Path) -> None:
    whole = shop(tmp_path / "whole")
    run(whole, "config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    command = ["git", "clone", "-q", "--bare", "--filter=blob:none", f"file://{whole}", str(partial)]
    subprocess.run(command, check=True)
    with pytest.raises(UserError, match="partial clone"):
        generators.found(partial, NOW)


def test_the_json_has_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["families", str(shop(tmp_path)), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (family,) = told["families"]
    newest = next(commit.sha for commit in git.commits(tmp_path) if "steam" in str(commit.changes))
    assert family["paths"] == ["app/providers/{X}.py"]
    assert (family["kind"], family["hubs"]) == ("files", [{"path": "app/registry.py", "share": 1.0}])
    assert family["members"][-1] == {"name": "steam", "files": ["app/providers/steam.py"], "commit": newest}
    assert told["skipped"] == {"folders of different things": 1}


def test_the_table_names_each_family_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["families", str(shop(tmp_path))]) == 0
    told = capsys.readouterr().out
    assert told.count("app/providers/{X}.py") == 1
    assert "lib/" not in told


def test_units_are_those_of_the_work_tree_as_it_stands(tmp_path: Path) -> None:
    made = repository(tmp_path, [Made({f"src/{name}.py": get(name) for name in ("case", "tag")})], checkout=True)
    assert generators.units(made).families == ()
    (made / "src/team.py").write_text(get("team"))
    assert len(generators.units(made).families[0].members) == 3
    (made / ".gitignore").write_text("team.py\n")
    assert generators.units(made).families == ()


def test_files_that_cannot_be_read_are_counted_and_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("one", "two", "three"):
        (outside / f"{name}.py").write_text(get(name))
    files: dict[str, str | bytes] = {f"src/{name}.py": get(name) for name in ("case", "tag", "team")}
    files |= {"bad.py": "def f(:", "latin.py": b"x = '\xe9'", "huge.py": "x = 1\n" * 200_000, "image.py": b"\0\1\2"}
    made = repository(tmp_path / "made", [Made(dict(files))], checkout=True)
    os.symlink(outside, made / "linked")
    os.symlink(outside / "one.py", made / "one.py")
    os.symlink(made, made / "src" / "loop")
    subprocess.run(["git", "init", "-q", str(made / "inner")], check=True)
    (made / "inner" / "four.py").write_text(get("four"))
    found = generators.units(made)
    assert [member.name for member in found.families[0].members] == ["case", "tag", "team"]
    assert found.skipped == {"does not parse": 2, "not UTF-8": 1, "larger than 1 MB or not at hand": 1}


def test_a_file_whose_name_is_not_utf8_is_left_out(tmp_path: Path) -> None:
    made = repository(tmp_path, [], checkout=False)
    for name in (b"a", b"b", b"c", b"caf\xe9"):
        with open(os.path.join(os.fsencode(made), name + b".py"), "w") as file:
            file.write(get(name.decode("ascii", "ignore")))
    run(made, "add", "-A")
    run(made, "commit", "-q", "-m", "all")
    assert [member.name for member in generators.units(made).families[0].members] == ["a", "b", "c"]
    assert [member.name for member in generators.found(made, NOW).families[0].members] == ["a", "b", "c"]


def test_a_submodule_is_left_alone(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", [Made({f"{name}.py": get(name) for name in ("a", "b", "c")})], checkout=True)
    made = shop(tmp_path / "made", checkout=True)
    run(made, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "vendored_code")
    run(made, "commit", "-q", "-m", "a submodule")
    assert [family.paths for family in generators.units(made).families] == [("app/providers/{X}.py::{X}Adapter",)]
    assert [family.paths for family in generators.found(made, NOW).families] == [("app/providers/{X}.py",)]


def test_paths_with_odd_characters_are_told_and_do_not_speak_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commits = [Made({f"a\\033[31m/{name}.py": view(name)}, place) for place, name in enumerate(NAMES)]
    assert main(["families", str(repository(tmp_path, commits))]) == 0
    told = capsys.readouterr().out
    assert "{X}.py" in told
    assert "\x1b" not in told


def test_missing_content_is_none_and_the_others_are_whole(tmp_path: Path) -> None:
    made = repository(tmp_path, [Made({"a.txt": "a.txt\n", "b.txt": "b" * 100})])
    blobs = {entry.path: entry.blob for entry in git.tree(made)}
    asked = [blobs["a.txt"], "0" * 40, blobs["b.txt"], blobs["a.txt"]]
    assert list(git.contents(made, asked, limit=50)) == [b"a.txt\n", None, None, b"a.txt\n"]
