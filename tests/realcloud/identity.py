"""Create projects, users, roles and the service catalog in Keystone."""

from .rest import Rest

PROJECTS = ("service", "demo", "other")
SERVICE_USERS = ("glance", "nova")
USERS = ("demo", "other")
REGION = "RegionOne"


def furnish(cloud):
    """Fill a new Keystone; return the ids of the projects by name."""
    keystone = Rest(f"{cloud.url('keystone')}/v3", token(cloud, "admin"))
    roles = {role["name"]: role["id"] for role in keystone.call("GET", "/roles").json()["roles"]}
    if "service" not in roles:
        roles["service"] = keystone.create("roles", "role", name="service")
    projects = {name: keystone.create("projects", "project", name=name) for name in PROJECTS}
    for name in SERVICE_USERS:
        user = keystone.create("users", "user", name=name, password=cloud.passwords[name])
        for role in ("admin", "service"):
            _grant(keystone, projects["service"], user, roles[role])
    for name in USERS:
        user = keystone.create("users", "user", name=name, password=cloud.passwords[name])
        _grant(keystone, projects[name], user, roles["member"])
    _fill_catalog(keystone, cloud)
    return projects


def token(cloud, user):
    """Return a token of the user for the project of the same name."""
    default = {"id": "default"}
    password = {"name": user, "domain": default, "password": cloud.passwords[user]}
    request = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": password}},
            "scope": {"project": {"name": user, "domain": default}},
        }
    }
    answer = Rest(f"{cloud.url('keystone')}/v3").call("POST", "/auth/tokens", json=request)
    return answer.headers["X-Subject-Token"]


def _grant(keystone, project, user, role):
    keystone.call("PUT", f"/projects/{project}/users/{user}/roles/{role}")


def _fill_catalog(keystone, cloud):
    nova = cloud.url("nova")
    for name, kind, url in (
        ("nova", "compute", f"{nova}/v2.1"),
        ("nova_legacy", "compute_legacy", f"{nova}/v2/$(project_id)s"),
        ("glance", "image", cloud.url("glance")),
    ):
        service = keystone.create("services", "service", name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            keystone.create(
                "endpoints",
                "endpoint",
                service_id=service,
                interface=interface,
                url=url,
                region_id=REGION,
            )
