"""Create the images in Glance with its API, and set in SQL what the API cannot."""

import sqlite3
from contextlib import closing


def plant(images, *, glance, projects, database):
    """Create the images in this order."""
    images = tuple(images)
    for image in images:
        _create(image, glance, projects[image.project])
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        for image in images:
            _set_by_sql(image, connection)


def _create(image, glance, owner):
    glance.call("POST", "/images", json=_document(image, owner))
    path = f"/images/{image.id}"
    if image.data is not None:
        # Glance 33 inspects the data; zeros can only be a raw disk.
        glance.call(
            "PUT", f"{path}/file", data=bytes(image.data), content_type="application/octet-stream"
        )
    if image.deactivated:
        glance.call("POST", f"{path}/actions/deactivate")
    if image.deleted:
        glance.call("DELETE", path)


def _document(image, owner):
    return {
        "id": image.id,
        **({} if image.name is None else {"name": image.name}),
        "owner": owner,
        "visibility": image.visibility,
        "os_hidden": image.hidden,
        "min_ram": image.min_ram,
        "min_disk": image.min_disk,
        "disk_format": "raw",
        "container_format": "bare",
        **image.properties,
    }


def _set_by_sql(image, connection):
    connection.execute(
        "UPDATE images SET created_at = :created, updated_at = :updated,"
        " deleted_at = CASE WHEN deleted THEN :updated END,"
        " status = coalesce(:status, status), size = coalesce(:size, size) WHERE id = :id",
        {
            "created": f"{image.created}.000000",
            "updated": f"{image.updated}.000000",
            "status": image.status,
            "size": image.size,
            "id": image.id,
        },
    )
