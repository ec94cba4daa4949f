// List the images of a cloud with pkgcloud; print id and name of each as JSON lines.
const { compute } = require("pkgcloud");

const client = compute.createClient({
  provider: "openstack",
  keystoneAuthVersion: process.env.KEYSTONE, // v2.0 unless said otherwise
  authUrl: process.env.OS_AUTH_URL,
  username: process.env.OS_USERNAME,
  password: process.env.OS_PASSWORD,
  tenantName: process.env.OS_PROJECT_NAME,
  domainName: process.env.OS_USER_DOMAIN_NAME,
  region: process.env.OS_REGION_NAME,
});

client.getImages((error, images) => {
  if (error) {
    console.error(error);
    process.exit(1);
  }
  for (const { id, name } of images) console.log(JSON.stringify([id, name]));
});
