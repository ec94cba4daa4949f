// List the images of a cloud with gophercloud, all pages; print id and name of each as JSON lines.
// LIMIT is the size of a page.
package main

import (
	"encoding/json"
	"log"
	"os"
	"strconv"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/images"
)

func main() {
	// AuthOptionsFromEnv does not know OS_USER_DOMAIN_NAME, and refuses OS_PROJECT_NAME alone.
	check(os.Setenv("OS_DOMAIN_NAME", os.Getenv("OS_USER_DOMAIN_NAME")))
	options, err := openstack.AuthOptionsFromEnv()
	check(err)
	provider, err := openstack.AuthenticatedClient(options)
	check(err)
	endpoint := gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")}
	compute, err := openstack.NewComputeV2(provider, endpoint)
	check(err)
	limit, err := strconv.Atoi(os.Getenv("LIMIT"))
	check(err)
	pages, err := images.ListDetail(compute, images.ListOpts{Limit: limit}).AllPages()
	check(err)
	found, err := images.ExtractImages(pages)
	check(err)
	for _, image := range found {
		check(json.NewEncoder(os.Stdout).Encode([]string{image.ID, image.Name}))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
