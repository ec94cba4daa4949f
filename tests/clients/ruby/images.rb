# List the images of a cloud with fog-openstack; print id and name of each as JSON lines.
# With LIMIT, the size of a page, ask for further pages by marker: fog follows no next link.
require "fog/openstack"
require "json"

compute = Fog::OpenStack::Compute.new(
  openstack_auth_url: ENV["OS_AUTH_URL"],
  openstack_username: ENV["OS_USERNAME"],
  openstack_api_key: ENV["OS_PASSWORD"],
  openstack_project_name: ENV["OS_PROJECT_NAME"],
  openstack_domain_name: ENV["OS_USER_DOMAIN_NAME"],
  openstack_region: ENV["OS_REGION_NAME"],
  openstack_service_type: [ENV.fetch("SERVICE", "compute")],
  openstack_identity_api_version: "v3"
)
filters = ENV.key?("LIMIT") ? { "limit" => ENV["LIMIT"] } : {}
images = page = compute.images.all(filters).to_a
until filters.empty? || page.empty?
  page = compute.images.all(filters.merge("marker" => page.last.id)).to_a
  images += page
end
models = images.map { |image| [image.id, image.name] }
details = compute.list_images_detail.body["images"].map { |image| image.values_at("id", "name") }
abort "images.all and list_images_detail differ" if models != details
models.each { |image| puts JSON.generate(image) }
