// Surfaces and swapchains.
#include "shim.h"

#include <stdlib.h>
#include <string.h>

VkResult gaze_present_family(gaze_instance *instance, VkPhysicalDevice adapter, VkSurfaceKHR surface, int32_t *family) {
	VkQueueFamilyProperties families[64];
	uint32_t count = 64;
	*family = -1;
	if (!gaze_has_device_extension(instance, adapter, VK_KHR_SWAPCHAIN_EXTENSION_NAME)) return VK_SUCCESS;
	instance->GetPhysicalDeviceQueueFamilyProperties(adapter, &count, families);
	for (uint32_t i = 0; i < count && *family < 0; i++) {
		VkBool32 presents = VK_FALSE;
		if (!(families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT)) continue;
		VkResult result = instance->GetPhysicalDeviceSurfaceSupportKHR(adapter, i, surface, &presents);
		if (result < 0) return result;
		if (presents) *family = (int32_t)i;
	}
	return VK_SUCCESS;
}

// Sets the format: red first where the surface has it, because that is how frames lie in memory.
static VkResult choose_format(gaze_instance *instance, VkPhysicalDevice adapter, VkSurfaceKHR surface, gaze_surface *out) {
	static const VkFormat wanted[] = {VK_FORMAT_R8G8B8A8_UNORM, VK_FORMAT_B8G8R8A8_UNORM};
	uint32_t count = 0;
	VkResult result = instance->GetPhysicalDeviceSurfaceFormatsKHR(adapter, surface, &count, NULL);
	if (result < 0) return result;
	VkSurfaceFormatKHR *list = calloc(count + 1, sizeof *list);
	if (!list) return VK_ERROR_OUT_OF_HOST_MEMORY;
	result = instance->GetPhysicalDeviceSurfaceFormatsKHR(adapter, surface, &count, list);
	for (int w = 1; w >= 0 && result >= 0; w--)
		for (uint32_t i = 0; i < count; i++)
			if (list[i].format == wanted[w] && list[i].colorSpace == VK_COLOR_SPACE_SRGB_NONLINEAR_KHR) out->format = wanted[w];
	free(list);
	return result;
}

VkResult gaze_get_surface(gaze_instance *instance, VkPhysicalDevice adapter, VkSurfaceKHR surface, gaze_surface *out) {
	VkSurfaceCapabilitiesKHR c;
	VkResult result = instance->GetPhysicalDeviceSurfaceCapabilitiesKHR(adapter, surface, &c);
	memset(out, 0, sizeof *out);
	if (result < 0) return result;
	out->width = c.currentExtent.width, out->height = c.currentExtent.height;
	out->min_width = c.minImageExtent.width, out->min_height = c.minImageExtent.height;
	out->max_width = c.maxImageExtent.width, out->max_height = c.maxImageExtent.height;
	out->images = c.minImageCount + 1; // one more than the display holds, so that acquiring seldom waits
	if (c.maxImageCount && out->images > c.maxImageCount) out->images = c.maxImageCount;
	out->transform = c.currentTransform;
	out->alpha = c.supportedCompositeAlpha & VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR ? VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR
	                                                                          : c.supportedCompositeAlpha & -c.supportedCompositeAlpha;
	if (!(c.supportedUsageFlags & VK_IMAGE_USAGE_TRANSFER_DST_BIT)) return result; // no format will do
	return choose_format(instance, adapter, surface, out);
}

VkResult gaze_create_swapchain(gaze_instance *instance, VkDevice device, VkSurfaceKHR surface, const gaze_surface *s, VkSwapchainKHR old, VkSwapchainKHR *out) {
	VkSwapchainCreateInfoKHR info = {VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR};
	info.surface = surface;
	info.minImageCount = s->images;
	info.imageFormat = s->format;
	info.imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR;
	info.imageExtent.width = s->width, info.imageExtent.height = s->height;
	info.imageArrayLayers = 1;
	info.imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
	info.preTransform = (VkSurfaceTransformFlagBitsKHR)s->transform;
	info.compositeAlpha = (VkCompositeAlphaFlagBitsKHR)s->alpha;
	// Every device has this mode. It shows each frame whole, and a stream of events draws no more frames than the screen shows.
	info.presentMode = VK_PRESENT_MODE_FIFO_KHR;
	info.clipped = VK_TRUE;
	info.oldSwapchain = old;
	return instance->CreateSwapchainKHR(device, &info, NULL, out);
}

VkResult gaze_swapchain_images(gaze_instance *instance, VkDevice device, VkSwapchainKHR swapchain, uint32_t *count, VkImage *out) {
	return instance->GetSwapchainImagesKHR(device, swapchain, count, out);
}

VkResult gaze_create_semaphore(gaze_instance *instance, VkDevice device, VkSemaphore *out) {
	VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
	return instance->CreateSemaphore(device, &info, NULL, out);
}

VkResult gaze_acquire(gaze_instance *instance, VkDevice device, VkSwapchainKHR swapchain, uint64_t nanoseconds, VkSemaphore signal, uint32_t *index) {
	return instance->AcquireNextImageKHR(device, swapchain, nanoseconds, signal, VK_NULL_HANDLE, index);
}

VkResult gaze_present(gaze_instance *instance, VkQueue queue, VkSwapchainKHR swapchain, uint32_t index, VkSemaphore wait) {
	VkPresentInfoKHR info = {VK_STRUCTURE_TYPE_PRESENT_INFO_KHR, NULL, 1, &wait, 1, &swapchain, &index, NULL};
	return instance->QueuePresentKHR(queue, &info);
}

void gaze_destroy_semaphore(gaze_instance *instance, VkDevice device, VkSemaphore semaphore) { instance->DestroySemaphore(device, semaphore, NULL); }

void gaze_destroy_swapchain(gaze_instance *instance, VkDevice device, VkSwapchainKHR swapchain) { instance->DestroySwapchainKHR(device, swapchain, NULL); }

void gaze_destroy_surface(gaze_instance *instance, VkSurfaceKHR surface) { instance->DestroySurfaceKHR(instance->instance, surface, NULL); }
