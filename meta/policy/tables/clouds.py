"""Clouds, rented machines and jobs: what costs money, and what deletes somebody's data."""

from meta.policy.nouns import Row, Wrapper

VALUED = {
    "aws": "--profile --region --output --query --endpoint-url --cli-input-json", "gcloud": "--project --zone --region --format --account --filter --configuration", "az": "-o --output --query --subscription -n -g --name --resource-group",
    "kaggle": "-c --competition -f --file -m --message -p --path -d --dataset -k", "rclone": "--config --transfers --include --exclude", "gsutil": "-o -h -u", "vastai": "--api-key", "fly|flyctl": "-a --app -c --config",
    "heroku": "-a --app -r --remote", "sky": "-c --cluster -n --name", "s3cmd": "-c --config",
}  # fmt: skip
_SAFE = r"(describe|list|get|head|batch-get|lookup|search|filter|query|scan|select|view|show|test|validate|estimate|simulate|check|detect|tail|wait|help|ls|presign|generate-presigned)(-.*)?"
_GRAVE = r"(delete|terminate|remove|destroy|purge|deregister|detach|disassociate|revoke|reset|stop|disable|release|cancel|abort|reject|deactivate|rm|rb|drop|empty|wipe)(-.*)?"
_COSTS = r"(create|run|start|launch|put|update|modify|attach|associate|allocate|request|import|register|enable|set|publish|invoke|send|purchase|restore|copy|add|authorize|assign|schedule|submit|execute|deploy|scale|resize|apply|reboot|up|new|provision|clone|migrate|upgrade|ssh|tag|untag|change)(-.*)?"

ROWS = (
    Row("aws", "network", ("aws ec2 describe-instances", "aws sts get-caller-identity", "aws logs tail x"), ("aws ec2 terminate-instances", "aws frob nicate"), words=_SAFE),
    Row("aws s3 ls|cp|sync|mv|presign|mb", "network", ("aws s3 cp a s3://b",), ("aws s3 rm s3://b",), reads="*"),
    Row("aws configure|sso|help|history|login", "write-outside", ("aws configure list",), ("aws s3 ls",)),
    Row("aws", "destroy network", ("aws ec2 terminate-instances", "aws s3 rb s3://b", "aws s3 rm s3://b"), ("aws ec2 describe-instances",), words=_GRAVE),
    Row("aws", "destroy", ("aws s3 sync a s3://b --delete",), ("aws s3 sync a s3://b",), flags="--delete"),
    Row("aws s3 mv", "destroy", ("aws s3 mv s3://a s3://b",), ("aws s3 cp a b",)),
    Row("aws", "spend network", ("aws ec2 run-instances", "aws sagemaker create-training-job"), ("aws ec2 describe-instances",), words=_COSTS, unless="--dry-run"),
    Row("aws iam|sts|organizations|kms", "privilege", ("aws iam create-user",), ("aws iam list-users", "aws sts get-caller-identity"), words=r"(create|attach|put|update|add|assume|delete|detach)-.*|get-session-token|get-federation-token|decrypt"),
    Row("aws secretsmanager|ssm|configure|ecr|iam|kms|sts|codeartifact", "", ("aws secretsmanager get-secret-value --secret-id x", "aws configure get aws_secret_access_key"), ("aws secretsmanager list-secrets", "aws configure list"), words=r"get-secret-value|--with-decryption|.*secret_access_key|.*session_token|export-credentials|get-authorization-token|get-login-password|get-session-token", level=4),
    Row("gcloud|az|bq|doctl|hcloud|linode-cli|oci|ibmcloud|aliyun|scw|vultr-cli|civo|exo|openstack|nova", "network", ("gcloud config list", "az account show", "doctl account get"), ("gcloud projects delete p",), words=r"(describe|list|show|get|ls|query|head|info|print-settings|status|read|tail|version|help|export|search|activate|get-.*|list-.*|show-.*|config)(-.*)?"),
    Row("gcloud|az|bq|doctl|hcloud|linode-cli|oci|ibmcloud|aliyun|scw|vultr-cli|civo|exo|openstack|nova", "destroy network", ("gcloud projects delete p", "az group delete -n x", "bq rm x.y"), ("gcloud projects list",), words=_GRAVE),
    Row("gcloud|az|bq|doctl|hcloud|linode-cli|oci|ibmcloud|aliyun|scw|vultr-cli|civo|exo|openstack|nova", "spend network", ("gcloud compute instances create x", "az vm create"), ("gcloud projects list",), words=_COSTS),
    Row("gcloud auth|secrets|kms", "", ("gcloud auth print-access-token",), ("gcloud auth list",), words=r"print-.*|access|decrypt|application-default", level=4),
    Row("az account|keyvault|acr|storage", "", ("az account get-access-token",), ("az account show",), words=r"get-access-token|keys|secret|generate-sas|show-connection-string|login", level=4),
    Row("gsutil|s3cmd|mc|b2|rclone|s5cmd|azcopy|swift|gcsfuse|s3fs ls|cp|cat|du|stat|hash|version|get|put|info|copy|lsd|lsl|lsf|size|tree|listremotes|about|check|ncdu|download|upload|list|copyto|copyurl|mb|sync", "network", ("gsutil ls gs://b", "rclone ls r:x"), ("gsutil rm gs://b",), reads="*"),
    Row("gsutil|s3cmd|mc|b2|rclone|s5cmd|azcopy|swift|gcloud", "destroy network", ("gsutil rm -r gs://b", "rclone purge r:x", "gcloud storage rm gs://x"), ("gsutil ls gs://b", "rclone copy a r:x"), words=r"rm|rb|del|delete|purge|remove|move|mv|mirror|deletefile|rmdirs|rmdir|cleanup|dedupe|delete-.*|--delete.*|--remove|moveto"),
    Row("rclone sync|bisync|mount|serve|rcd|config", "destroy network", ("rclone sync a r:b",), ("rclone ls r:b",)),
    Row("gsutil", "destroy", ("gsutil -m rsync -d . gs://b",), ("gsutil cp a gs://b",), flags="-d -D"),
    Row("gsutil rsync", "network", ("gsutil rsync a gs://b",), ("gsutil rm x",)),
    Row("gsutil|mc|s3cmd", "privilege", ("gsutil iam set x", "gsutil acl ch x"), ("gsutil ls gs://b",), words="iam|acl|setacl|policy|setpolicy|anonymous|admin"),
    Row("fly|flyctl|heroku|vercel|netlify|wrangler|railway|render|firebase|supabase|eb|gigalixir|dokku|now|surge|convex|appwrite|nhost|northflank|zeabur|koyeb", "network", ("flyctl status", "vercel env ls", "wrangler tail"), ("vercel --prod",),
        words=r"(status|logs?|tail|list|ls|info|show|version|whoami|dev|build|link|init|pull|inspect|help|apps|env|config|auth|login|ps|releases|open|doctor|start|stop|emulators:.*|functions:.*log|types|gen|.*:(info|list)|certs|domains|get|--help|--version|codegen|check|migration|generate)"),
    Row("fly|flyctl|heroku|vercel|netlify|wrangler|railway|render|firebase|supabase|eb|gigalixir|dokku|now|surge|convex|appwrite|nhost|northflank|zeabur|koyeb", "destroy network", ("fly apps destroy x", "heroku pg:reset D", "supabase db reset", "netlify sites:delete x"), ("fly status", "heroku logs"),
        words=r"(.*[: -])?(delete|destroy|remove|rm|reset|down|purge|unset|rollback|suspend|terminate|disable|revoke|cancel|stop|kill|restore|clear|promote|leave|detach)(-.*)?|firestore:.*|database:remove"),
    Row("fly|flyctl|heroku|vercel|netlify|wrangler|railway|render|firebase|supabase|eb|gigalixir|dokku|now|surge|convex|appwrite|nhost|northflank|zeabur|koyeb", "spend network", ("fly scale count 3", "vercel --prod", "heroku ps:scale web=2"), ("fly status", "vercel ls"),
        words=r"(.*[: -])?(deploy|scale|create|launch|up|publish|set|push|add|ps:.*|addons:.*|secrets?|migrate|execute|--prod|run|exec|ssh|console|proxy|clone|import|transfer|upgrade|resize)(:.*|=.*|-.*)?|d1|r2|kv"),
    Row("wrangler d1|r2|kv", "network", ("wrangler d1 execute x --command 'select 1'",), ("wrangler tail",), level=3),
    Row("vercel|now|surge", "spend network", ("vercel .",), ("vercel ls",), words="\\.", level=3),
    Row("stripe", "network", ("stripe listen", "stripe customers list"), ("stripe refunds create",), words="listen|logs|list|retrieve|status|version|login|config|samples|trigger"),
    Row("stripe|twilio|sendgrid|mailgun|paypal", "spend network", ("stripe refunds create --charge x",), ("stripe customers list",), words="create|update|delete|cancel|capture|post|confirm|pay|refund|send|api:.*"),
    # rented machines and jobs
    Row("vastai show|search|logs|help|label", "network", ("vastai show instances",), ("vastai create instance 1",)),
    Row("vastai create|start|launch|change|copy|execute|prepay|reboot|recycle|update|set", "spend network", ("vastai create instance 1",), ("vastai show instances",)),
    Row("vastai destroy|stop|delete|remove", "destroy network", ("vastai destroy instance 1",), ("vastai show instances",)),
    Row("runpodctl get|version|config|help|receive|send|doctor", "network", ("runpodctl get pod",), ("runpodctl create pod",)),
    Row("runpodctl create|start|exec|project|deploy|ssh", "spend network", ("runpodctl create pod --gpuType x",), ("runpodctl get pod",)),
    Row("runpodctl remove|stop|delete", "destroy network", ("runpodctl remove pod x",), ("runpodctl get pod",)),
    Row("modal app|volume|secret|profile|token|config|environment|container|nfs|queue|dict|setup|image", "network", ("modal app list",), ("modal run x",)),
    Row("modal app|volume|secret|container|nfs|queue|dict|environment stop|delete|rm|exec|clear|rollback|create|put", "destroy network", ("modal app stop x",), ("modal app list",)),
    Row("modal run|deploy|serve|shell|launch", "spend network", ("modal run x.py",), ("modal app list",)),
    Row("sky status|queue|logs|check|show-gpus|cost-report|api|gpus", "network", ("sky status",), ("sky launch x",)),
    Row("sky launch|exec|start|jobs|serve|autostop", "spend network", ("sky launch x",), ("sky status",)),
    Row("sky down|stop|cancel|storage", "destroy network", ("sky down x",), ("sky status",)),
    Row("sbatch|srun|salloc|qsub|bsub|condor_submit|jsrun|flux|torchx|dstack|lambda|paperspace|gradient|coreweave|brev|floyd|grid|lightning|determined|det|beam|baseten|truss|replicate|banana|cerebrium|fal|together|anyscale", "spend network", ("sbatch job.sh", "srun python a.py"), ("squeue",)),
    Row("scancel|qdel|bkill|condor_rm|scontrol|sacctmgr", "destroy network", ("scancel 3",), ("squeue",)),
    Row("squeue|sinfo|sacct|sstat|qstat|bjobs|condor_q|sprio|sshare|sreport|showq|pbsnodes", "network", ("squeue -u me",), ("scancel 3",)),
    Row("nvidia-smi|gpustat|nvtop|rocm-smi|nvcc|intel_gpu_top|amd-smi|nvitop|deviceQuery", "read", ("nvidia-smi -L",), ("nvidia",)),
    Row("nvidia-smi|rocm-smi", "privilege", ("nvidia-smi --gpu-reset", "nvidia-smi -pl 100"), ("nvidia-smi -L",), flags="-r --gpu-reset -pl -pm -lgc -ac -e -c -mig --power-limit --persistence-mode --reset-gpu-clocks --setfan --compute-mode"),
    Row("kaggle|kg competitions|datasets|kernels|models|config|c|d|k|m|files|discussions|benchmarks", "network", ("kaggle competitions list", "kaggle c download x"), ("kagglex",)),
    Row("kaggle|kg competitions|c submit", "spend network", ("kaggle competitions submit -f a x", "kaggle c submit x"), ("kaggle competitions submissions x",)),
    Row("kaggle|kg kernels|k push|delete", "spend network", ("kaggle kernels push",), ("kaggle kernels status x",)),
    Row("kaggle|kg datasets|d|models|m|kernels|k delete|create|version|update", "destroy network", ("kaggle datasets delete x",), ("kaggle datasets list",)),
    Row("hf|huggingface-cli download|whoami|env|scan-cache|cache|version|lfs-enable-largefiles|models|datasets|spaces|papers", "network", ("hf download x",), ("hf upload x",)),
    Row("hf|huggingface-cli upload|upload-large-folder|repo|repos|tag|delete-cache|repo-files|jobs|endpoints|sync|buckets|extensions", "spend destroy network", ("huggingface-cli delete-cache", "hf jobs run x y"), ("hf download x",)),
    Row("hf|huggingface-cli login|logout|auth", "write-outside", ("hf auth whoami",), ("hf download x",)),
    Row("wandb|mlflow|neptune|comet|clearml|tensorboard|dvc|aim|sacred|trackio", "network", ("wandb sync run", "mlflow ui", "dvc pull"), ("wandbx",)),
    Row("wandb|dvc|mlflow|clearml", "destroy network", ("wandb sweep --stop x", "dvc gc -f", "dvc destroy"), ("wandb sync x", "dvc repro"), words="--stop|--cancel|gc|destroy|delete|remove|purge|artifact|launch|launch-agent|--clean|remote", unless="--help"),
    Row("ollama|llama-cli|llama-server|vllm|lms|llm|aider|claude|codex|gemini|cursor-agent|opencode|goose|amp|qwen|copilot|sgpt|mods|fabric", "network", ("ollama list",), ("ollamax",), level=2),
    Row("ollama|lms|llm rm|delete|unload", "destroy", ("ollama rm x",), ("ollama list",)),
    Row("claude|codex|gemini|qwen|opencode|goose|cursor-agent|amp|copilot", "privilege", ("claude --dangerously-skip-permissions", "codex --yolo"), ("claude -p x",), words="--dangerously.*|--yolo|--full-auto|-y|bypassPermissions|--sandbox=danger.*|danger-full-access|--allow-all.*|--force|-f", level=4),
)  # fmt: skip

WRAPPERS: tuple[Wrapper, ...] = ()
