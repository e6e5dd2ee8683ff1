"""Containers, clusters and infrastructure as code."""

from meta.policy.nouns import Row, Wrapper

ONE_DASH = "terraform tofu terragrunt packer"
_RUN = "-v --volume -e --env --env-file -p --publish --name -w --workdir -u --user --network --net --mount --entrypoint -h --hostname -l --label --gpus --memory -m --cpus --restart --platform --ulimit --shm-size --add-host --cap-add --security-opt --device --pid --ipc --log-driver --link --volumes-from --tmpfs --cidfile --health-cmd --runtime --pull"
VALUED = {
    "docker|podman|nerdctl": "-H --host --context -l --log-level --config --connection --url", "docker|podman|nerdctl run": _RUN, "docker|podman|nerdctl create": _RUN, "docker|podman|nerdctl exec": "-e --env --env-file -w --workdir -u --user --detach-keys",
    "docker|podman|nerdctl compose": "-f --file -p --project-name --env-file --profile --project-directory", "docker|podman|nerdctl compose exec": "-e --env -u --user -w --workdir --index", "docker|podman|nerdctl compose run": "-e --env -u --user -w --workdir -v --volume -p --publish --name --entrypoint -l",
    "docker-compose": "-f --file -p --project-name --env-file --profile", "docker-compose exec|run": "-e --env -u --user -w --workdir -v --volume --name --entrypoint",
    "kubectl|oc": "-n --namespace --context --cluster --user --kubeconfig -s --server -f --filename -l --selector -o --output -c --container --replicas --as --image -p --patch --type --field-selector --grace-period --timeout -k --tail --since", "kubectl|oc exec": "-c --container -n --namespace --context",
    "helm": "-n --namespace --kube-context -f --values --set --version --repo --timeout", "terraform|tofu": "-chdir -var -var-file -target -out -backend-config -state -lock-timeout -parallelism",
    "pulumi": "-s --stack -C --cwd -c --config", "ansible": "-m -a -i -l -e --module-name --args --inventory --limit -u", "docker build": "-t --tag -f --file --build-arg --target --platform --secret --cache-from -o --output",
}  # fmt: skip
_ROOT = r"(-v|--volume|--mount)?=?(type=bind,)?(source=|src=)?(/|/etc|/var/run/docker\.sock|/run/docker\.sock|/root|/home/me|/home/me/\.ssh|/home/me/\.aws|/home)([:,].*)"

ROWS = (
    Row("docker|podman|nerdctl ps|images|logs|inspect|stats|top|version|info|port|history|diff|events|search|ls|wait|df|help|manifest|scout|sbom|attach", "read", ("docker ps -a",), ("docker rm x",)),
    Row("docker|podman|nerdctl build|buildx|run|create|exec|start|stop|restart|cp|tag|commit|save|load|import|export|pause|unpause|rename|update|init|generate|play|kube|machine|untag|healthcheck|unshare|mount|debug|bake|sandbox|model|mcp|desktop", "write-project", ("docker build -t x .", "docker run --rm x ls"), ("docker rm x",)),
    Row("docker|podman|nerdctl pull|push|login|logout", "network", ("docker pull x", "docker push x"), ("docker ps",)),
    Row("docker|podman|nerdctl container|image|volume|network|context|system|secret|config|service|stack|node|swarm|pod|trust|builder|plugin|checkpoint", "write-project", ("docker network create x", "docker volume create x"), ("docker rm x",)),
    Row("docker|podman|nerdctl container|image|volume|network|context|system|secret|config|service|stack|node|pod ls|list|inspect|ps|df|info|logs|show|exists|history", "read", ("docker volume ls",), ("docker volume rm x",)),
    Row("docker|podman|nerdctl rm|rmi|kill|prune", "destroy", ("docker rm -f x", "docker rmi x", "docker kill x"), ("docker run --rm x",)),
    Row("docker|podman|nerdctl stop|rm|kill", "destroy", ("docker stop $(docker ps -q)",), ("docker stop web",), words=r".*[\ue000].*|-a|--all"),
    Row("docker|podman|nerdctl container|image|volume|network|context|system|secret|config|service|stack|node|swarm|pod|builder|buildx|machine|plugin rm|remove|prune|reset|leave|kill|rmi|delete|down|destroy", "destroy", ("docker system prune -af", "podman system reset", "docker volume rm x"), ("docker volume ls",)),
    Row("docker|podman|nerdctl service|stack|swarm|node", "network", ("docker stack deploy x",), ("docker service ls",), words="deploy|update|scale|rollback|create|init|join|promote|demote", level=3),
    Row("docker|podman|nerdctl run|create", "", ("docker run -v /:/host x", "docker run -v /var/run/docker.sock:/s x"), ("docker run -v ./a:/a x",), values=_ROOT, level=4),
    Row("docker|podman|nerdctl run|create|exec", "privilege", ("docker run --privileged x",), ("docker run --rm x",), flags="--privileged", level=4),
    Row("docker|podman|nerdctl run|create", "privilege", ("docker run --pid=host x", "docker run --cap-add=SYS_ADMIN x"), ("docker run --cap-add=NET_RAW x", "docker run x"), values=r"(--pid|--ipc|--userns|--uts|--net|--network)=host|host|(--cap-add=?)?(SYS_ADMIN|ALL|SYS_PTRACE|SYS_MODULE)|--device=?.*|(--security-opt=?)?(seccomp|apparmor)[=:]unconfined"),
    Row("docker-compose ps|logs|config|images|top|port|events|version|ls", "read", ("docker-compose ps",), ("docker-compose up",)),
    Row("docker-compose up|down|build|start|stop|restart|run|exec|create|pause|unpause|pull|push|watch|cp|convert|attach|wait|scale", "write-project", ("docker-compose up -d",), ("docker-compose rm x",)),
    Row("docker|podman|nerdctl compose", "write-project", ("docker compose up -d",), ("docker run x",)),
    Row("docker|podman|nerdctl compose ps|logs|config|images|top|port|events|version|ls", "read", ("docker compose ps",), ("docker compose up",)),
    Row("docker|podman|nerdctl compose down", "destroy", ("docker compose down -v",), ("docker compose down",), flags="-v --volumes --rmi"),
    Row("docker-compose down", "destroy", ("docker-compose down -v",), ("docker-compose down",), flags="-v --volumes --rmi"),
    Row("docker|podman|nerdctl compose rm|kill", "destroy", ("docker compose rm -f",), ("docker compose run --rm x ls",)),
    Row("docker-compose rm|kill", "destroy", ("docker-compose rm -sf",), ("docker-compose run --rm x ls",)),
    Row("buildah bud|build|from|run|images|containers|inspect|commit|config|copy|add|tag|pull|login", "write-project", ("buildah bud .",), ("buildah rm x",)),
    Row("buildah rm|rmi|prune|push|unshare", "destroy", ("buildah rm --all",), ("buildah bud .",)),
    Row("skopeo|crane|regctl|oras inspect|list-tags|manifest|ls|digest|config|export|pull|discover", "network", ("skopeo inspect x",), ("skopeo delete x",)),
    Row("skopeo|crane|regctl|oras copy|delete|push|sync|cp|attach|tag", "destroy", ("skopeo delete x",), ("skopeo inspect x",)),
    Row("hadolint|dive|trivy|grype|syft|dockle|docker-slim|slim|kubeval|kubeconform|kube-score|kube-linter|tflint|tfsec|checkov|terrascan|conftest|opa|cfn-lint|ansible-lint|yamllint|actionlint|infracost|terraform-docs", "read", ("hadolint Dockerfile",), ("hadol x",)),
    Row("act", "write-project", ("act -j test",), ("action",)),
    # clusters
    Row("kubectl|oc get|describe|logs|top|explain|api-resources|api-versions|version|cluster-info|diff|auth|wait|events|kustomize|whoami|status|completion|options", "network", ("kubectl get pods", "kubectl -n a logs x"), ("kubectl delete pod x",)),
    Row("kubectl|oc exec|cp|port-forward|attach|proxy|debug|rsh|rsync", "network", ("kubectl exec x -- ls",), ("kubectl get pods",)),
    Row("kubectl|oc config", "write-outside", ("kubectl config use-context x",), ("kubectl get x",)),
    Row("kubectl|oc config", "read", ("kubectl config current-context",), ("kubectl config use-context x",), words="view|current-context|get-contexts|get-clusters|get-users"),
    Row("kubectl|oc config", "destroy", ("kubectl config delete-context x",), ("kubectl config view",), words="delete-.*|unset|set-credentials"),
    Row("kubectl|oc config", "", ("kubectl config view --raw",), ("kubectl config view",), flags="--raw", level=4),
    Row("kubectl|oc get secret|secrets", "", ("kubectl get secret x -o yaml",), ("kubectl get secrets",), flags="-o --output --template", level=4),
    Row("kubectl|oc apply", "", ("kubectl apply --dry-run=client -f x",), ("kubectl apply -f x",), words="--dry-run.*", level=0),
    Row("kubectl|oc delete|drain|cordon|uncordon|taint|scale|replace|patch|edit|set|annotate|label|autoscale|expose|create|apply|run|certificate|new-project|new-app|adm|policy|login|import-image|process|start-build|tag", "destroy network", ("kubectl delete pod x", "oc delete project x"), ("kubectl apply --dry-run=client -f x",), unless="--dry-run"),
    Row("kubectl|oc rollout status|history", "network", ("kubectl rollout status x",), ("kubectl rollout undo x",)),
    Row("kubectl|oc rollout", "destroy network", ("kubectl rollout undo x", "kubectl rollout restart x"), ("kubectl rollout status x",), words="undo|restart|pause|resume"),
    Row("kubectx|kubens|kustomize|stern|k9s|kubetail|popeye|kubent|kompose", "write-outside", ("kubectx x",), ("kubex",)),
    Row("helm list|ls|template|lint|show|status|get|history|search|repo|dependency|dep|package|version|env|pull|verify|create|plugin|registry|diff|completion|inspect", "network", ("helm list",), ("helm uninstall x",)),
    Row("helm install|upgrade|uninstall|delete|rollback|test|push|del|un", "destroy network", ("helm uninstall x", "helm upgrade x y"), ("helm upgrade --dry-run x y",), unless="--dry-run"),
    Row("helm install|upgrade", "read", ("helm upgrade --dry-run x y",), ("helm upgrade x y",), flags="--dry-run"),
    Row("kind|minikube|k3d|colima|multipass|lima|limactl|kops|eksctl|gcluster", "write-outside", ("kind get clusters", "minikube status"), ("kinder",), words="get|status|list|ls|logs|ip|version|profile|image|load|info|service|kubectl|export|describe|start|create|dashboard|tunnel|addons"),
    Row("kind|minikube|k3d|colima|multipass|lima|limactl|kops|eksctl delete|stop|reset|destroy|rm|prune|purge", "destroy", ("kind delete cluster",), ("kind get clusters",)),
    Row("eksctl|kops create|update", "spend", ("eksctl create cluster",), ("eksctl get cluster",)),
    # infrastructure
    Row("terraform|tofu|terragrunt fmt|validate|version|show|output|providers|graph|console|get|test|metadata|modules", "read", ("terraform validate",), ("terraform apply",)),
    Row("terraform|tofu|terragrunt init|plan|refresh|login|workspace|state|hclfmt|run-all", "network", ("terraform plan",), ("terraform apply",)),
    Row("terraform|tofu|terragrunt apply|import|force-unlock|taint|untaint|destroy|run", "spend destroy", ("terraform apply", "terraform -chdir=x destroy"), ("terraform plan",)),
    Row("terraform|tofu|terragrunt state rm|mv|push|replace-provider", "destroy", ("terraform state rm x",), ("terraform state list",)),
    Row("terraform|tofu|terragrunt workspace delete", "destroy", ("terraform workspace delete x",), ("terraform workspace list",)),
    Row("terraform|tofu|terragrunt", "destroy", ("terragrunt run-all apply", "terraform plan -destroy"), ("terraform plan",), words="-destroy|run-all|apply-all|destroy-all", unless="fmt"),
    Row("pulumi preview|stack|config|whoami|version|about|logs|plugin|org|console|convert|new|login|env|refresh|schema|package", "network", ("pulumi preview",), ("pulumi up",)),
    Row("pulumi up|update|destroy|import|cancel|watch|state|down", "spend destroy", ("pulumi up --yes",), ("pulumi preview",)),
    Row("pulumi stack|config|env rm|remove|delete", "destroy", ("pulumi stack rm x",), ("pulumi stack ls",)),
    Row("cdk|sam|serverless|sls|sst|copilot|cdktf|amplify", "network", ("cdk synth", "sam build"), ("cdk deploy",), words="synth|synthesize|diff|ls|list|doctor|init|build|validate|local|logs|info|print|package|invoke|dev|docs|status"),
    Row("cdk|sam|serverless|sls|sst|copilot|cdktf|amplify deploy|destroy|bootstrap|remove|delete|push|import|up", "spend destroy", ("cdk deploy",), ("cdk synth",)),
    Row("ansible|ansible-playbook|ansible-pull|salt|puppet|chef-client|chef", "destroy network", ("ansible-playbook x.yml",), ("ansible-playbook --check x.yml",), unless="--check -C --syntax-check --list-tasks --list-hosts --version"),
    Row("ansible|ansible-playbook", "network", ("ansible-playbook --check x.yml",), ("ansible-playbook x.yml",), flags="--check -C --syntax-check --list-tasks --list-hosts"),
    Row("ansible-galaxy|ansible-inventory|ansible-doc|ansible-config", "network", ("ansible-galaxy install x",), ("ansible x",)),
    Row("vagrant status|ssh-config|global-status|box|version|validate|port|up|halt|reload|provision|init|ssh|plugin|suspend|resume|snapshot", "write-outside", ("vagrant status",), ("vagrant destroy",)),
    Row("vagrant destroy", "destroy", ("vagrant destroy -f",), ("vagrant up",)),
    Row("packer validate|fmt|init|inspect", "read", ("packer validate x",), ("packer build x",)),
    Row("packer build", "spend", ("packer build x",), ("packer validate x",)),
)  # fmt: skip

WRAPPERS = (
    Wrapper("lxc exec", ("lxc exec box rm -rf a",), own=1, foreign=True),
    Wrapper(
        "systemd-nspawn|firejail|bwrap|proot|fakeroot",
        ("fakeroot rm -rf a",),
        "-D --ro-bind --bind --setenv --chdir --tmpfs --proc --dev",
    ),
)
