"""What a piece of code in another language does: patterns of calls that delete, start programs, or use the network.

It is no proof: code that hides what it calls is only caught where the hiding itself can be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from meta.policy import paths
from meta.policy.expansion import ansi
from meta.policy.nouns import NEVER, Effect, Finding


@dataclass(frozen=True, slots=True)
class Call:
    """A pattern of code in some languages and what it does; `match` and `not_match` are pieces of code."""

    languages: str
    pattern: str
    effect: Effect
    match: tuple[str, ...]
    not_match: tuple[str, ...] = ()
    level: int = 3


CALLS = (
    Call("python", r"\b(os|shutil|_os)\s*\.\s*(remove|unlink|rmdir|removedirs|rmtree|truncate)\b|\brmtree\b|\.(unlink|rmdir|rmtree)\s*\(",
         "destroy", ("import os; os.remove('x')", "from shutil import rmtree", "Path('x').unlink()"), ("items.remove(3)",)),
    Call("python", r"from\s+os\s+import\s+[^\n;]*\b(remove|unlink|rmdir|system|popen|exec\w+)", "destroy", ("from os import remove",), ("from os import path",)),
    Call("python", r"\b(setuid|setgid|chown|chroot)\s*\(", "privilege", ("os.setuid(0)",), ("os.getuid()",)),
    Call("python", r"\b(urllib|requests|httpx|http\.client|socket|ftplib|smtplib|paramiko|aiohttp)\b", "network", ("import requests",), ("import json",), 2),
    Call("python", r"\b(exec|eval|compile)\s*\(\s*+(?!['\"])[^)]*(urlopen|requests|\.read\(|b64|decode|fromhex|decompress|zlib|codecs)", "destroy",
         ("exec(base64.b64decode('eA=='))",), ("eval('1+1')",), NEVER),
    Call("python", r"\b(exec|eval|__import__)\s*\(\s*+(?!['\"])|getattr\s*\([^,()]+,\s*+(?!['\"]\w+['\"]\s*[,)])", "destroy", ("exec(code)", "getattr(os, 'rem' + 'ove')"), ("getattr(x, 'name')", "model.evaluate(x)")),
    Call("python", r"__import__\s*\(\s*['\"](os|subprocess|shutil|pty|socket)|import_module\s*\(\s*['\"](os|subprocess|shutil)", "destroy", ("__import__('os').getcwd()",), ("import os",)),
    Call("python", r"\bpty\s*\.\s*spawn|os\.dup2\s*\(", "network", ("import pty; pty.spawn('/bin/sh')",), ("os.dup(1)",), NEVER),
    Call("python", r"\bDROP\s+(TABLE|DATABASE)|\.(drop_all|dropDatabase|drop_database|flushall)\s*\(", "destroy", ("db.drop_all()",), ("df.drop(columns='a')",)),
    Call("perl", r"\b(unlink|rmdir|rmtree|remove_tree|truncate)\b", "destroy", ("unlink 'x'",), ("print 'x'",)),
    Call("perl|ruby", r"\b(IO::Socket|Net::|LWP|TCPSocket|open-uri)", "network", ("use IO::Socket;",), ("print 1",), 2),
    Call("perl|ruby", r"(TCPSocket|IO::Socket).*(exec|system)|exec.*TCPSocket", "network", ("s=TCPSocket.open('h',1);exec '/bin/sh'",), ("TCPSocket.open('h',1)",), NEVER),
    Call("ruby", r"FileUtils\s*\.\s*(rm\w*|remove\w*)|\b(File|Dir|Pathname)\s*\.\s*(delete|unlink|rmdir)|\.(rmtree|unlink|delete_all|destroy_all)\b", "destroy", ("FileUtils.rm_rf('x')",), ("File.read('x')",)),
    Call("node", r"\b(rmSync|rmdirSync|unlinkSync|truncateSync)\b|\bfs(\.promises)?\s*\.\s*(rm|rmdir|unlink|truncate)\b|\b(rimraf|del)\s*\(|\.(unlink|rmdir|rm)\s*\(", "destroy", ("fs.rmSync('x')",), ("form.submit()",)),
    Call("node", r"Deno\s*\.\s*remove|Bun\.\$|\bremoveSync\b|\bemptyDirSync\b", "destroy", ("Deno.removeSync('x')",), ("Deno.cwd()",)),
    Call("node", r"\b(fetch|axios|https?\.(get|request)|net\.connect)\b", "network", ("fetch('http://x')",), ("const a = 1",), 2),
    Call("node", r"net\.(connect|Socket)[\s\S]*(spawn|exec)\w*\s*\(|\beval\s*\(\s*(await|require)", "network", ("net.connect(1).pipe(spawn('sh').stdin)",), ("net.connect(1)",), NEVER),
    Call("node", r"\b(eval|Function)\s*\(\s*+(?!['\"])", "destroy", ("eval(code)",), ("evaluate(x)",)),
    Call("php", r"\b(unlink|rmdir)\s*\(", "destroy", ("unlink('x');",), ("echo 1;",)),
    Call("php", r"\bfsockopen\b", "network", ("fsockopen('h',1)",), ("echo 1;",), NEVER),
    Call("lua", r"os\.remove", "destroy", ("os.remove('x')",), ("os.time()",)),
    Call("Rscript", r"\b(unlink|file\.remove)\s*\(", "destroy", ("unlink('x')",), ("print(1)",)),
    Call("julia", r"\brm\s*\(", "destroy", ("rm(\"x\")",), ("norm(x)",)),
    Call("osascript", r"\bdelete\b|\bempty trash\b", "destroy", ("tell app \"Finder\" to delete file 1",), ("get name",)),
    Call("mongo", r"\b(drop\w*|deleteMany|deleteOne|findOneAndDelete|remove|shutdownServer)\s*\(", "destroy", ("db.users.deleteMany({})",), ("db.users.find()",)),
    Call("mongo", r"\b(insert\w*|update\w*|replaceOne|bulkWrite|createIndex)\s*\(", "network", ("db.a.insertOne({})",), ("db.a.find()",), 2),
    Call("awk", r">\s*\"/|\|\s*\"(sh|bash)\b", "destroy", ("{ print | \"sh\" }",), ("{ print $1 }",)),
)  # fmt: skip
_STARTS = re.compile(
    r"\b(os\s*\.\s*(system|popen|exec\w+|spawn\w+|posix_spawn\w*)|subprocess\s*\.\s*\w+|check_output|check_call|getoutput|Popen|commands\.\w+|pexpect\.\w+"
    r"|system|exec[lvpe]*|popen|shell_exec|passthru|proc_open|child_process|execSync|execFile\w*|spawn\w*|Open3\.\w+|qx|spawn|do shell script|os\.execute|io\.popen)\b\s*[({\[\"'`! ]"
    r"|`[^`]+`|%x[({\[]"
)
_ITEM = re.compile(r"""'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)\"""")
_SEVERAL = re.compile(rf"(?:[\s,\[\](b]*(?:{_ITEM.pattern}))+")
_LITERAL = re.compile(r"""'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`([^`]+)`|(?:qx|q|qq|%x)?[({]([^(){}]+)[)}]""")
_SHELLED = frozenset(["python", "perl", "ruby", "node", "php", "lua", "awk", "osascript", "Rscript", "julia"])
_QUOTED = re.compile(r"""'((?:\\.|[^'\\\n]){1,200})'|"((?:\\.|[^"\\\n]){1,200})"|`([^`\n]{1,200})`""")


def findings(language: str, code: str) -> Iterator[Finding]:
    """What the code does by itself."""
    for call in CALLS:
        if language in call.languages.split("|") and re.search(
            call.pattern, code, re.IGNORECASE if language == "mongo" else 0
        ):
            yield Finding(call.effect, call.level, f"{language} code: {call.match[0][:40]}")
    for match in _QUOTED.finditer(code):
        text = next(filter(None, match.groups()), "")
        if len(text) > 3 and not re.search(r"\s", text):
            path = f"{paths.HOME}{text[1:]}" if text.startswith("~/") else text
            yield from (found for found in paths.reads(path) if found.level >= NEVER)
            if re.search(r"open\s*\(|write|'[wa]b?'|\"[wa]b?\"", code) and (
                text.startswith(("/", "~")) and paths.place(path) in ("device", "system")
            ):
                yield from (found for found in paths.writes(path) if found.level >= NEVER)


def shell_texts(language: str, code: str) -> Iterator[str]:
    """The command lines that the code gives to a shell or starts, where they are written out; "" where they are not."""
    if language == "awk" and re.search(r"\|\s*getline|\|\s*\"|\|&", code):
        yield from (ansi(a or b) for a, b in _ITEM.findall(code))
    if language not in _SHELLED or not (started := list(_STARTS.finditer(code))):
        return
    if language == "node" and not re.search(r"child_process|execSync|spawn|execa|\bzx\b", code):
        return  # `exec` of a regular expression
    found = False
    for match in started:
        begin = (
            match.start()
            if match.group().startswith(("`", "%x"))
            else match.end() - (match.group()[-1] != "(" or "qx" in match.group())
        )
        if several := _SEVERAL.match(code, begin):
            found = True
            words = [ansi(a or b) for a, b in _ITEM.findall(several.group())]
            yield words[0]
            if len(words) > 1 and not re.search(r"\s", words[0]):
                yield " ".join(map(_typed, words))
        elif literal := _LITERAL.search(code, begin, begin + 600):
            found = True
            yield ansi(next(filter(None, literal.groups()), ""))
    if not found:
        yield ""


def _typed(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


@dataclass(frozen=True, slots=True)
class Statement:
    """A pattern of SQL and what it does."""

    pattern: str
    effect: Effect
    match: tuple[str, ...]
    not_match: tuple[str, ...] = ()
    level: int = 3


STATEMENTS = (
    Statement(r"\bDROP\s+(?!(INDEX|VIEW|TRIGGER)\b)\w+", "destroy", ("DROP TABLE x", "drop  schema y cascade"), ("SELECT drop_rate FROM x", "DROP INDEX i")),
    Statement(r"\bTRUNCATE\b", "destroy", ("TRUNCATE events",), ("SELECT truncated FROM x",)),
    Statement(r"\bDELETE\s+FROM\b", "destroy", ("DELETE FROM t WHERE id = 1",), ("SELECT deleted FROM t",)),
    Statement(r"\bUPDATE\s+\S+\s+SET\b(?!.*\bWHERE\b)", "destroy", ("UPDATE t SET a = 1",), ("UPDATE t SET a = 1 WHERE id = 2",)),
    Statement(r"\bALTER\s+TABLE\b.*\bDROP\b|\bALTER\s+(USER|ROLE|SYSTEM)\b|\bGRANT\b|\bREVOKE\b", "destroy", ("ALTER TABLE t DROP COLUMN c",), ("ALTER TABLE t ADD c int",)),
    Statement(r"\bTO\s+PROGRAM\b|\bFROM\s+PROGRAM\b|xp_cmdshell|load_extension|\bINTO\s+(OUTFILE|DUMPFILE)\b|pg_read_file|lo_export|\bsys_exec\b", "privilege", ("COPY t TO PROGRAM 'x'",), ("COPY t TO STDOUT",)),
    Statement(r"(^|\n|\s)\\!|(^|\n)\.(shell|system)\b", "destroy", (".shell ls",), (".schema",)),
    Statement(r"\b(INSERT|UPDATE|CREATE|ALTER|REPLACE|MERGE|COPY|VACUUM|REINDEX|DROP)\b", "write-outside", ("INSERT INTO t VALUES (1)",), ("SELECT 1",), 2),
)  # fmt: skip


def sql(text: str) -> Iterator[Finding]:
    """What SQL statements do. What stands in quotes is data."""
    text = re.sub(r"/\*.*?\*/|--[^\n]*", " ", text, flags=re.DOTALL)
    bare = re.sub(r"'(?:''|[^'])*'", "''", text)
    for statement in re.split(r";", bare):
        for known in STATEMENTS:
            if re.search(known.pattern, statement, re.IGNORECASE | re.DOTALL):
                yield Finding(known.effect, known.level, f"SQL: {known.match[0]}")
    if not bare.strip():
        return
    yield Finding("read", 0, "SQL")
