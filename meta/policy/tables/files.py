"""Programs that read, write and delete files."""

from meta.policy.nouns import Row, Wrapper

ONE_DASH = "find"
VALUED = {
    "head|tail": "-n -c --lines --bytes", "cut": "-d -f -c -b", "sort": "-k -t -o -T -S --output", "grep|egrep|fgrep|zgrep": "-e -f -m -A -B -C --include --exclude --exclude-dir",
    "rg|ag|ack": "-e -g -t -T -A -B -C -m --type --glob -f", "tar|bsdtar": "-f -C -T -X --file --directory --exclude --checkpoint-action", "cp|mv|ln|install": "-t -m -o -g -S --target-directory --mode --owner --group",
    "sed|gsed": "-e -f -l --expression --file", "awk|gawk|mawk": "-F -v -f", "jq": "--arg --argjson --slurpfile --rawfile --indent -f", "split": "-l -b -n -a --lines --bytes",
    "truncate": "-s --size -r", "shred": "-n -s --iterations", "unzip": "-d -x -P", "rsync": "-e -f --exclude --include --files-from --rsh --filter --link-dest --port --chmod", "touch": "-d -t -r --date",
    "mkdir": "-m --mode", "stat": "-c -f --format", "date": "-d -f -r --date", "ls": "-I -w", "tree": "-L -I -P -o", "du": "-d --max-depth --exclude", "diff": "-U -I -x", "xxd": "-l -s -c -o",
    "tee": "", "column": "-s -c -o", "paste": "-d", "join": "-t -1 -2 -o", "comm": "", "wc": "", "fold": "-w", "od": "-A -t -N -j -w", "hexdump": "-n -s -e", "base64": "-w --wrap", "uniq": "-f -s -w", "patch": "-i -o -d -p",
    "chmod|chown|chgrp": "--reference", "zip": "-x -i", "nl": "-b -w -s", "less|more": "", "vim|vi|nvim|ex|view": "-c -S -u --cmd", "emacs": "--eval -l", "ffmpeg": "-i",
}  # fmt: skip

ROWS = (
    # looking
    Row("ls|dir|vdir|exa|eza|lsd|tree|stat|file|du|df|basename|dirname|realpath|readlink|pwd|which|whereis|wc|md5sum|sha1sum|sha256sum|sha512sum|b2sum|cksum|sum|shasum|locate|mountpoint|namei|getfacl|lsattr|pathchk|cloc|tokei|scc|ncdu|dust",
        "read", ("ls -la src", "wc -l .env"), ("lsx",)),
    Row("cat|bat|batcat|head|tail|less|more|most|tac|nl|od|xxd|hexdump|hd|strings|base64|base32|basenc|cut|sort|uniq|comm|join|paste|column|fold|fmt|expand|unexpand|tr|rev|cmp|diff|colordiff|sdiff|diff3|delta|zcat|bzcat|xzcat|zless|zmore|csvlook|csvcut|csvstat|csvgrep|csvjson|xsv|mlr|glow|mdcat|iconv|pr|look|tsort|shuf|ptx|jless|view|git-delta|difft",
        "read", ("cat a.txt", "sort -u b"), ("concat a",), reads="*"),
    Row("grep|egrep|fgrep|zgrep|rg|ag|ack|ugrep|pcregrep|jq|yq|xq|gron|xmllint|xmlstarlet|dasel|htmlq|awk", "read", ("grep -rn x src", "jq .a b.json"), ("agrep x",), reads="rest"),
    Row("rg", "", ("rg --pre 'sh x' y",), ("rg --pretty y",), flags="--pre --hostname-bin", level=3),
    Row("yq", "write-project", ("yq -i '.a=1' b.yaml",), ("yq .a b.yaml",), flags="-i --inplace", writes="rest"),
    Row("sed|gsed", "read", ("sed -n 1p a",), ("sedx",)),
    Row("sed|gsed", "write-project", ("sed -i s/a/b/ c",), ("sed s/a/b/ c",), flags="-i --in-place"),
    Row("sort", "", ("sort -o a b",), ("sort a",), flags="-o --output", writes="-o --output", level=1),
    Row("sort", "", ("sort --compress-program=x a",), ("sort a",), words="--compress-prog.*", level=3),
    Row("echo|printf|date|cal|seq|yes|expr|bc|dc|factor|numfmt|env|printenv|locale|tty|true|uname|arch|hostname|whoami|id|groups|users|who|w|last|uptime|nproc|getconf|history|man|info|apropos|whatis|tldr|cheat|help|clear|reset|tput|stty|figlet|cowsay|lolcat|sleep|usleep|cmatrix|tzselect|logname|finger|lastlog|dmesg",
        "read", ("date +%F", "whoami"), ("dates",)),
    Row("history", "", ("history -c",), ("history 5",), flags="-c -d", level=4),
    Row("date", "privilege", ("date -s 2020-01-01",), ("date -d yesterday",), flags="-s --set"),
    Row("hostname", "privilege", ("hostname -F f",), ("hostname -f",), flags="-F --file -b"),
    Row("dmesg", "destroy", ("dmesg -C",), ("dmesg",), flags="-C --clear -c"),
    # writing
    Row("mkdir|touch|mkfifo|mktemp|mknod", "write-project", ("mkdir -p a/b",), ("mkdirs a",), writes="*"),
    Row("cp|gcp|copy", "write-project", ("cp a b",), ("scp a b:",), reads="sources", writes="last -t --target-directory"),
    Row("cp|install|dd", "destroy", ("cp /dev/null app.log",), ("cp a b",), words="/dev/(null|zero)"),
    Row("mv|rename|prename|mmv|gmv", "write-project", ("mv a b",), ("mvn a",), writes="last -t --target-directory"),
    Row("mv|gmv", "destroy", ("mv a /dev/null",), ("mv a b",), words="/dev/null"),
    Row("mv|gmv", "", ("mv /etc /x", "mv ~/.bashrc x"), ("mv a b", "mv src/a.py b.py"), words=r"(/(?!(tmp|private/tmp|workspace|app|src|data)/).*|~.*|(.*/)?\.git(/hooks.*)?)", deletes="sources", level=2),
    Row("rename|prename|mmv", "destroy", ("rename 's/a/b/' c",), ("rename -n 's/a/b/' c",), unless="-n --dry-run --nono"),
    Row("ln", "write-project", ("ln -s a b",), ("lnx a",), writes="last"),
    Row("ln", "destroy", ("ln -sf /dev/null audit.log",), ("ln -s a b",), words="/dev/null"),
    Row("install", "write-project", ("install -m 755 a b/",), ("installer",), reads="sources", writes="last -t"),
    Row("tee|sponge", "write-project", ("tee -a log",), ("teex",), writes="*"),
    Row("split|csplit", "write-project", ("split -l 10 a",), ("splitx",), reads="first"),
    Row("tar|bsdtar|gtar", "write-project", ("tar xzf a.tgz",), ("star x",), writes="-C --directory", reads="*"),
    Row("tar|bsdtar|gtar", "read", ("tar tzf a.tgz",), ("tar xzf a.tgz",), words=r"-?[a-zA-Z]*t[a-zA-Z]*|--list"),
    Row("tar|bsdtar|gtar", "destroy", ("tar --remove-files -cf a b",), ("tar -cf a b",), flags="--remove-files"),
    Row("tar|bsdtar|gtar", "destroy", ("tar cf a --checkpoint-action=exec=x b",), ("tar cf a b",), words="(--checkpoint-action|--to-command|--use-compress-program|--info-script|--rsh-command).*|-I"),
    Row("zip|gzip|bzip2|xz|zstd|lz4|brotli|gunzip|bunzip2|unxz|7z|7za|compress|pigz|zipnote|ar|cpio|rar|lzma", "write-project", ("gzip -k a", "zip -r a.zip b"), ("unzipx",), reads="*"),
    Row("zip", "destroy", ("zip -m a.zip b", "zip a.zip b -TT 'sh x'"), ("zip a.zip b",), flags="-m -T -TT --move --unzip-command"),
    Row("unzip|unrar|unar|7zx", "write-project", ("unzip a.zip",), ("zip a",), writes="-d"),
    Row("patch", "write-project", ("patch -p1",), ("patchx",), reads="*"),
    Row("chmod", "write-project", ("chmod 644 a",), ("chmodx",)),
    Row("chmod", "privilege", ("chmod u+s a", "chmod 4755 a"), ("chmod 755 a", "chmod +x a"), words=r"[0-7]?[4-7][0-7]{3}|[ugoa]*\+[rwxX]*[st][rwxXst]*"),
    Row("chmod", "destroy", ("chmod -R 777 .", "chmod -R a+rwx a"), ("chmod -R u+w a", "chmod 777 a"), flags="-R --recursive", words=r"0?(777|000|666|0)|[oa]*[+=][rwx]*w[rwx]*|[ugoa]*=|[ugoa]*-[rwxX]+"),
    Row("chown|chgrp", "privilege", ("chown root a",), ("chownx",)),
    Row("chmod|chown|chgrp|setfacl", "", ("chmod -R 755 /etc", "chown -R x /usr"), ("chmod 755 /opt/a",), flags="-R --recursive", rights="paths", level=1),
    Row("chmod|chown|chgrp|setfacl|chattr|chcon", "privilege", ("chmod -x .git/hooks/pre-push",), ("chmod 755 a",), words=r"(.*/)?\.git/hooks.*", level=4),
    Row("chmod|chattr|chcon", "privilege", ("chmod 777 /etc/x",), ("chmod 755 a",), words=r"/(etc|usr|bin|sbin|lib|boot|var)(/.*)?|/"),
    Row("chattr|setfacl|chcon|setfattr", "privilege", ("chattr -i a",), ("lsattr a",)),
    Row("truncate", "write-project", ("truncate -s 1M a",), ("truncatex",), writes="*"),
    Row("truncate", "destroy", ("truncate -s 0 a", "truncate --size=0 a"), ("truncate -s 1M a",), values=r"0|-s0|--size=0|-s-.*"),
    Row("dd", "write-project", ("dd if=a of=b",), ("ddx",), reads="if=", writes="of="),
    Row("dd", "destroy", ("dd if=a of=b conv=notrunc",), ("dd if=a of=b",), words="conv=.*notrunc.*|seek=.*"),
    Row("convert|magick|mogrify|identify|ffmpeg|ffprobe|pandoc|sox|exiftool|inkscape|dot|plantuml|gnuplot|pdftotext|pdfunite|qpdf|gs|tesseract|imagemagick|cwebp|optipng|pngquant|jpegoptim|svgo|latexmk|pdflatex|xelatex|lualatex|bibtex|asciidoctor|mmdc|d2|rsvg-convert|wkhtmltopdf",
        "write-project", ("convert a.png b.jpg",), ("converts a",)),
    Row("dos2unix|unix2dos|enconv|envsubst|m4|gettext|msgfmt|xgettext|ctags|etags|cscope|indent|astyle", "write-project", ("dos2unix a",), ("unix2x a",)),
    Row("vim|vi|nvim|nano|emacs|code|ed|ex|open|xdg-open|subl|micro|hx", "write-project", ("nano a",), ("vimx a",), reads="*"),
    Row("vim|vi|nvim|ex|emacs", "destroy", ("vim -c '!rm a' b",), ("vim b",), flags="-c --cmd -S --eval -l", values=r".*(!|system|delete|:w).*"),
    # deleting
    Row("rm|unlink|srm|trash|trash-put|rmtrash|grm|rimraf|del-cli", "", ("rm a", "rm -rf build"), ("rmx a",), deletes="*", level=1),
    Row("rmdir", "write-project", ("rmdir a",), ("rm -r a",)),
    Row("shred|wipe", "", ("shred -u a",), ("shredder",), deletes="*", level=3),
)  # fmt: skip

WRAPPERS = (
    Wrapper("busybox|toybox", ("busybox rm -rf a",)),
    Wrapper("script", ("script -c 'rm -rf a' log",), "-c --command -E -o -T -B -I -O", kind="flag", flags="-c --command", effects="write-project"),
    Wrapper("flock", ("flock lock rm -rf a",), "-w -E --timeout", own=1),
)
