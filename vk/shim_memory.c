// Memory that two devices have.
#include "shim.h"

#if defined(_WIN32)
#include <errno.h>
int gaze_duplicate_fd(int fd) { return errno = ENOSYS, -1; } // no device gives one out
void gaze_close_fd(int fd) {}
#else
#include <fcntl.h>
#include <unistd.h>
int gaze_duplicate_fd(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 0); }
void gaze_close_fd(int fd) { close(fd); }
#endif

VkResult gaze_create_shared_buffer(gaze_instance *instance, VkDevice device, uint64_t size, VkBuffer *out) {
	VkExternalMemoryBufferCreateInfo external = {
		VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO, NULL, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
	VkBufferCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, &external, 0, size, GAZE_BUFFER_USAGE, VK_SHARING_MODE_EXCLUSIVE, 0, NULL};
	return instance->CreateBuffer(device, &info, NULL, out);
}

VkResult gaze_allocate_shared(gaze_instance *instance, VkDevice device, VkBuffer buffer, uint64_t size, uint32_t type, int fd, VkDeviceMemory *out) {
	VkMemoryDedicatedAllocateInfo dedicated = {VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, NULL, VK_NULL_HANDLE, buffer};
	VkExportMemoryAllocateInfo export = {VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, NULL, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
	VkImportMemoryFdInfoKHR import = {VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR, NULL, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT, fd};
	const void *head = NULL;
	gaze_chain(&head, &dedicated);
	if (fd < 0) gaze_chain(&head, &export);
	else gaze_chain(&head, &import);
	VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, head, size, type};
	return instance->AllocateMemory(device, &info, NULL, out);
}

VkResult gaze_get_memory_fd(gaze_instance *instance, VkDevice device, VkDeviceMemory memory, int *out) {
	VkMemoryGetFdInfoKHR info = {VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR, NULL, memory, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
	return instance->GetMemoryFdKHR(device, &info, out);
}
