"""Clients and tools of databases; what their statements do is known in `policy.code`."""

from meta.policy.nouns import Row, Wrapper

VALUED = {
    "psql": "-c --command -f --file -d --dbname -U --username -h --host -p --port -v --set -o --output -F -P", "mysql|mariadb": "-e --execute -u --user -h --host -P --port -D --database", "mysqladmin|mysqldump|mysqlimport": "-u --user -h --host -P --port",
    "sqlite3|sqlite|duckdb": "-cmd -init -separator -c", "mongosh|mongo": "--eval -u -p --host --port --file -f", "redis-cli|valkey-cli": "-h -p -a -n -u --user --pass --raw", "pg_dump|pg_restore|pg_dumpall": "-d --dbname -U -h -p -f --file -t -n -j -F",
    "cqlsh": "-e --execute -f -u -p", "clickhouse-client|clickhouse": "-q --query --host --port --user", "bq": "--project_id --dataset_id", "sqlcmd": "-Q -q -i -S -U -P -d", "influx": "-n -o -t",
}  # fmt: skip
ONE_DASH = "sqlite3 sqlite duckdb"

ROWS = (
    Row("psql|mysql|mariadb|cqlsh|clickhouse-client|clickhouse|sqlcmd|usql|pgcli|mycli|litecli|cockroach", "network", ("psql -c 'select 1'",), ("psqlx",), reads="-f --file -i"),
    Row("sqlite3|sqlite|duckdb", "write-project", ("sqlite3 a.db .schema",), ("sqlitex",)),
    Row("mongosh|mongo|mongoexport|mongodump|mongostat|mongotop", "network", ("mongosh --eval 'db.a.find()'",), ("mongorestore --drop x",)),
    Row("mongorestore|mongoimport|mongofiles", "destroy network", ("mongorestore --drop x",), ("mongodump",)),
    Row("pg_dump|pg_dumpall|mysqldump|pg_isready|pg_config|pgbench|mysqlshow|pg_basebackup|sqldiff|sqlite-utils|datasette|pg_top|redis-benchmark|pgloader|mysqlcheck|innochecksum", "network", ("pg_dump a",), ("pg_restore a",)),
    Row("pg_restore|mysqlimport|pgrestore", "network", ("pg_restore -d a b",), ("pg_dump a",), level=3),
    Row("createdb|createuser|initdb|pg_ctl|postgres|mysqld|redis-server|mongod|pg_ctlcluster|pg_createcluster", "network", ("createdb a",), ("dropdb a",)),
    Row("pg_ctl|pg_ctlcluster", "destroy", ("pg_ctl stop",), ("pg_ctl status",), words="stop|restart|kill|promote|initdb"),
    Row("dropdb|dropuser|pg_dropcluster|pg_resetwal|pg_rewind", "destroy network", ("dropdb a",), ("createdb a",)),
    Row("mysqladmin status|ping|version|variables|processlist|extended-status", "network", ("mysqladmin ping",), ("mysqladmin drop a",)),
    Row("mysqladmin drop|shutdown|kill|password|flush-privileges|create|stop-slave|refresh|reload", "destroy network", ("mysqladmin drop a",), ("mysqladmin ping",)),
    Row("redis-cli|valkey-cli", "network", ("redis-cli ping", "redis-cli -n 2 get x"), ("redis-cli FLUSHALL", "redis-cli"), words=r"(?i:ping|get|mget|keys|info|dbsize|ttl|pttl|type|exists|hget|hgetall|hkeys|hlen|lrange|llen|smembers|scard|zrange|zcard|scan|--scan|monitor|--stat|--bigkeys|--latency|client|command|memory|object|strlen|set|setex|hset|lpush|rpush|sadd|zadd|incr|decr|expire|publish|subscribe|time|slowlog|--version|xlen|xrange|echo|select|auth|role|lastsave|save|bgsave)"),
    Row("redis-cli|valkey-cli", "destroy network", ("redis-cli FLUSHALL", "redis-cli del x", "redis-cli -n 2 flushdb"), ("redis-cli get x",), words=r"(?i:flushall|flushdb|del|unlink|shutdown|config|debug|script|eval|evalsha|swapdb|restore|migrate|replicaof|slaveof|module|rename|failover|acl|cluster|ltrim|getdel|hdel|srem|zrem|spop|lpop|rpop|persist|--pipe|--eval|function)"),
    Row("bq ls|show|head|query|version|extract|load|mk|cp|wait|info", "network", ("bq ls",), ("bq rm x",)),
    Row("influx|etcdctl|consul|vault|nats|kafka-topics|kafka-topics.sh|kcat|kafkacat|rabbitmqctl|rabbitmqadmin|cypher-shell|arangosh|elasticdump|es|curator|rqlite|surreal|edgedb|fauna|turso|planetscale|pscale|neonctl|atlas|dolt",
        "network", ("etcdctl get x", "influx query x"), ("etcdctl del x",), words=r"(get|list|ls|query|status|version|info|describe|show|read|members|catalog|kv|topics?|lookup|health|--list|--describe|ping|auth|help|org|bucket|sub|consume|db|branch|branches|schema|diff|migrate|log|sql|inspect)"),
    Row("influx|etcdctl|consul|vault|nats|kafka-topics|kafka-topics.sh|rabbitmqctl|rabbitmqadmin|cypher-shell|arangosh|curator|turso|planetscale|pscale|neonctl|atlas|dolt|surreal",
        "destroy network", ("influx bucket delete -n x", "etcdctl del x"), ("influx query x",), words=r".*(delete|del|remove|rm|purge|drop|destroy|reset|revoke|--delete|leave|force-leave|seal|disable|stop|clean).*"),
    Row("vault read|kv|token|login|unwrap", "", ("vault kv get secret/x", "vault read a"), ("vault status",), level=4),
    # migrations
    Row("alembic|flyway|liquibase|goose|dbmate|migrate|sqlx|diesel|sea-orm-cli|knex|sequelize|typeorm|drizzle-kit|prisma|aerich|yoyo|tern|sqlc|atlas|dbt|sqlmesh|sqlfluff|sqlfmt|pgroll|refinery", "write-project", ("alembic upgrade head", "prisma generate", "dbt run"), ("alembicx",)),
    Row("alembic|flyway|liquibase|goose|dbmate|migrate|sqlx|diesel|knex|sequelize|sequelize-cli|typeorm|drizzle-kit|prisma|aerich|sea-orm-cli|atlas", "destroy", ("alembic downgrade base", "prisma migrate reset", "dbmate drop", "sqlx database reset"), ("alembic upgrade head",), words=r"(.*:)?(downgrade|clean|reset|down|drop|rollback|undo|drop-all|fresh|refresh|revert|redo|force|undo:all|drop-tables|schema:drop|--force-reset|--accept-data-loss|rollbackcount|dropall)"),
    Row("rails|rake|bin/rails", "write-project", ("rails server", "rake test"), ("railsx",)),
    Row("rails|rake", "destroy", ("rails db:drop", "rake db:reset"), ("rails db:migrate",), words=r"db:(drop|reset|rollback|purge|truncate_all|seed:replant|schema:load|setup|migrate:reset|migrate:down|structure:load|drop:all|drop:_unsafe|migrate:redo).*|runner|tmp:clear|destroy|console|c|r"),
    Row("manage.py|artisan|django-admin|flask|symfony|console|craft|drush|wp", "write-project", ("manage.py migrate", "flask run"), ("managex",)),
    Row("manage.py|artisan|django-admin|flask|symfony|craft|drush|wp", "destroy", ("manage.py flush --no-input", "artisan migrate:fresh", "wp db reset"), ("manage.py migrate",), words=r"flush|reset_db|sqlflush|(.*:)?(fresh|reset|wipe|rollback|drop|refresh)|sql-drop|delete|clean|doctrine:.*drop.*|downgrade|zero|clear_cache|dropdb|drop_all|site-install|remove_stale_contenttypes|tinker|shell -c|uninstall"),
)  # fmt: skip

WRAPPERS: tuple[Wrapper, ...] = ()
