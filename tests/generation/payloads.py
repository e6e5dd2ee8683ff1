"""Values that do harm where they are pasted, taken for an option, or changed on the way; made by rule, none is copied."""

from __future__ import annotations

from itertools import product

_HARMS = ("touch owned", ": > owned", "cp /dev/null owned", "echo x>owned", "tee owned")
_SHELL = (
    "; {}", ";{};", "$({})", "`{}`", "| {}", "|{}|", "&& {}", "|| {}", "& {} &", "\n{}\n", "'; {}; '", '"; {}; "', "a'$({})'b", 'a"$({})"b', "<({})", ">({})", "$'\\n'{}",
    "x\n{} #", "';{} #", '";{} #', "\\'; {}", '\\"; {}', "${{x:-$({})}}", "$(({}))", "a[$({})]", "*;{}", "#\n{}", "\\\n{}", "{{{}}}", "({})", "{} #", "$({} ", "`{} ",
    "EOF\n{}\nEOF", "EOF\n)\"; {}; \"", "!{}!", "%0a{}", "a\r\n{}", "=cmd|' /C {}'", "${{IFS}};{}", "~; {}",
)  # fmt: skip
ATTACKS = tuple(form.format(harm) for form, harm in product(_SHELL, _HARMS))
OPTIONS = (
    "-", "--", "---", "-rf", "-r", "-f", "-o", "-oowned", "--output=owned", "--output", "--exec=touch owned", "-e", "-c", "-C/", "--help", "-h", "--version", "--force", "-i", "-n",
    "--upload-pack=touch owned", "-oProxyCommand=touch owned", "--no-verify", "--amend", "--dry-run", "--json", "--failed", "--failed=x", "--from", "--tail=0", "--allow-destroy", "--config=x",
    "-x", "-X", "-D", "--eval=x", "-", "- x", "-\n", "-=", "--=", "-1", "-0.5", "--\u200b", "-$(touch owned)", "--;touch owned", "-'", '-"',
)  # fmt: skip
_QUOTES = tuple("".join(chars) for size in (1, 2, 3) for chars in product("'\"`\\$", repeat=size))
_CONTROLS = tuple(f"a{chr(code)}b" for code in (*range(1, 32), *range(127, 160)))
_UNICODE = (
    "naïve", "日本語", "Ω≈ç", "😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "\u200b", "\u200d", "\u202e", "\u2066a\u2069", "\ufeff", "e\u0301", "\u0301", "a\u0300\u0301\u0302\u0303b", "ﬀ", "ı", "İ", "ß",
    "\u2028", "\u2029", "\u00a0", "\u3000", "\ue000", "\ufffd", "\uffff", "\U0010ffff", "\U0001d400", "‘’“”", "；", "｜", "＄（x）", "﹩", "｀x｀", "\u2212rf", "\u2010x", "–x", "—x", "ＥＯＦ", "ـ", "שלום", "مرحبا",
)  # fmt: skip
_PLAIN = (
    "", " ", "  ", "\t", "\n", "\n\n", "\r", "\r\n", " a", "a ", "a\n", "\na", "a b", "a  b", "a\tb", "0", "00", "1e400", "NaN", "inf", "0x1f", "1_000", "9" * 400, "None", "null", "true", "False",
    "undefined", "()", "[]", "{}", "{a,b}", "{1..9}", "*", "**", "?", "[a-z]*", "~", "~root", "~/x", "a:~", "a=~", "$HOME", "${HOME}", "$1", "$@", "$$", "$?", "!!", "!x", "^a^b", "#", "a#b", "%s%n", "%d", "%",
    "%%", "{0}", "{{ 7*7 }}", "{% raw %}", "{{x}}", "<b>", "&amp;", "<script>x</script>", "' OR 1=1 --", "\"; DROP TABLE x", "../../etc/passwd", "/", "//", ".", "..", "./-x", "a/-rf", "x.", "con", "nul",
    "@/etc/passwd", "@x", "+x", "+main", ":x", ":main", "=x", "a=b", "A=b", "PATH=x", ",", ";", "&", "|", ">", "<", ">>", "2>&1", "(", ")", "[", "]", "{", "}", "EOF", "a\nEOF", "EOF\nb", "\\n", "\\", "a\\",
    "\\\\", "it's", 'say "x"', "a" * 1000, "b c " * 2000, "\\x41", "\\u0041", "$'x'", '$"x"', "yes\nno", "x\\\ny", "\\\n", "'", '"', "`",
)  # fmt: skip
PAYLOADS = tuple(dict.fromkeys((*ATTACKS, *OPTIONS, *_QUOTES, *_CONTROLS, *_UNICODE, *_PLAIN)))
