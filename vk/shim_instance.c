// The loader, its layers and instances.
#include "shim.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

#if defined(_WIN32)
#include <windows.h>
PFN_vkGetInstanceProcAddr gaze_open_loader(const char *name) {
	HMODULE library = LoadLibraryA(name);
	return library ? (PFN_vkGetInstanceProcAddr)(void *)GetProcAddress(library, "vkGetInstanceProcAddr") : NULL;
}
#else
#include <dlfcn.h>
PFN_vkGetInstanceProcAddr gaze_open_loader(const char *name) {
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	void *symbol = library ? dlsym(library, "vkGetInstanceProcAddr") : NULL;
	if (library && !symbol) dlclose(library);
	return (PFN_vkGetInstanceProcAddr)symbol;
}
#endif

static VKAPI_ATTR VkBool32 VKAPI_CALL debug_message(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT type,
    const VkDebugUtilsMessengerCallbackDataEXT *data, void *id) {
	gazeDebugMessage((uintptr_t)id, (int)severity, (int)type, (char *)(data->pMessageIdName ? data->pMessageIdName : ""),
	    (char *)(data->pMessage ? data->pMessage : ""));
	return VK_FALSE;
}

uint32_t gaze_instance_version(PFN_vkGetInstanceProcAddr get) {
	PFN_vkEnumerateInstanceVersion enumerate = (PFN_vkEnumerateInstanceVersion)get(NULL, "vkEnumerateInstanceVersion");
	uint32_t version = VK_API_VERSION_1_0;
	if (enumerate) enumerate(&version);
	return version;
}

int gaze_has_layer(PFN_vkGetInstanceProcAddr get, const char *name) {
	PFN_vkEnumerateInstanceLayerProperties enumerate = (PFN_vkEnumerateInstanceLayerProperties)get(NULL, "vkEnumerateInstanceLayerProperties");
	uint32_t count = 0;
	if (!enumerate || enumerate(&count, NULL) < 0 || !count) return 0;
	VkLayerProperties *layers = calloc(count, sizeof *layers);
	int found = 0;
	if (layers && enumerate(&count, layers) >= 0)
		for (uint32_t i = 0; i < count; i++) found |= !strcmp(layers[i].layerName, name);
	free(layers);
	return found;
}

static int has_instance_extension(PFN_vkGetInstanceProcAddr get, const char *layer, const char *name) {
	PFN_vkEnumerateInstanceExtensionProperties enumerate =
	    (PFN_vkEnumerateInstanceExtensionProperties)get(NULL, "vkEnumerateInstanceExtensionProperties");
	uint32_t count = 0;
	if (!enumerate || enumerate(layer, &count, NULL) < 0 || !count) return 0;
	VkExtensionProperties *list = calloc(count, sizeof *list);
	int found = 0;
	if (list && enumerate(layer, &count, list) >= 0)
		for (uint32_t i = 0; i < count; i++) found |= !strcmp(list[i].extensionName, name);
	free(list);
	return found;
}

VkResult gaze_create_instance(PFN_vkGetInstanceProcAddr get, uint32_t api, int validate, uintptr_t debug_id, uint32_t count, char *const *names,
    gaze_instance *out) {
	static const char layer[] = "VK_LAYER_KHRONOS_validation";
	const char *layers[1], *extensions[4 + GAZE_MAX_NAMES];
	VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO, NULL, "gaze", 1, "gaze", 1, api};
	VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
	info.pApplicationInfo = &application;
	info.ppEnabledLayerNames = layers;
	info.ppEnabledExtensionNames = extensions;

	VkDebugUtilsMessengerCreateInfoEXT messenger = {VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
	messenger.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
	messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
	    VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
	messenger.pfnUserCallback = debug_message;
	messenger.pUserData = (void *)debug_id;
	int debug = debug_id && (has_instance_extension(get, NULL, VK_EXT_DEBUG_UTILS_EXTENSION_NAME) ||
	    (validate && has_instance_extension(get, layer, VK_EXT_DEBUG_UTILS_EXTENSION_NAME)));
	// The layer watches synchronization only if told to, and what shaders do to buffers only if told so, too.
	static const VkBool32 on = VK_TRUE;
	static const VkLayerSettingEXT settings[] = {
		{layer, "validate_sync", VK_LAYER_SETTING_TYPE_BOOL32_EXT, 1, &on},
		{layer, "syncval_shader_accesses_heuristic", VK_LAYER_SETTING_TYPE_BOOL32_EXT, 1, &on},
	};
	VkLayerSettingsCreateInfoEXT new_way = {VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT, NULL, 2, settings};
	static const VkValidationFeatureEnableEXT enables[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
	VkValidationFeaturesEXT old_way = {VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT, NULL, 1, enables, 0, NULL};
	if (validate) {
		layers[info.enabledLayerCount++] = layer;
		if (has_instance_extension(get, layer, VK_EXT_LAYER_SETTINGS_EXTENSION_NAME)) {
			extensions[info.enabledExtensionCount++] = VK_EXT_LAYER_SETTINGS_EXTENSION_NAME;
			gaze_chain(&info.pNext, &new_way);
		} else if (has_instance_extension(get, layer, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME)) { // always looks at shaders
			extensions[info.enabledExtensionCount++] = VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME;
			gaze_chain(&info.pNext, &old_way);
		} else {
			return VK_ERROR_EXTENSION_NOT_PRESENT;
		}
		if (!debug) return VK_ERROR_EXTENSION_NOT_PRESENT; // nobody would hear it
	}
	if (debug) {
		extensions[info.enabledExtensionCount++] = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
		gaze_chain(&info.pNext, &messenger);
	}
	if (has_instance_extension(get, NULL, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME)) {
		// Without this a loader hides MoltenVK.
		extensions[info.enabledExtensionCount++] = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
		info.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
	}
	if (count > GAZE_MAX_NAMES) return VK_ERROR_EXTENSION_NOT_PRESENT;
	for (uint32_t i = 0; i < count; i++) extensions[info.enabledExtensionCount++] = names[i];

	PFN_vkCreateInstance create = (PFN_vkCreateInstance)get(NULL, "vkCreateInstance");
	if (!create) return VK_ERROR_INITIALIZATION_FAILED;
	memset(out, 0, sizeof *out);
	VkResult result = create(&info, NULL, &out->instance);
	if (result < 0) {
		out->instance = VK_NULL_HANDLE;
		return result;
	}
#define F(name) out->name = (PFN_vk##name)get(out->instance, "vk" #name);
	GAZE_INSTANCE_FUNCTIONS(F)
	GAZE_OPTIONAL_FUNCTIONS(F)
	GAZE_SURFACE_FUNCTIONS(F)
#undef F
	int complete = 1;
#define F(name) complete &= out->name != NULL;
	GAZE_INSTANCE_FUNCTIONS(F)
	if (count) {
		GAZE_SURFACE_FUNCTIONS(F)
	}
#undef F
	if (!complete) {
		if (out->DestroyInstance) out->DestroyInstance(out->instance, NULL);
		out->instance = VK_NULL_HANDLE;
		return VK_ERROR_INCOMPATIBLE_DRIVER;
	}
	out->api = api;
	if (debug && out->CreateDebugUtilsMessengerEXT) {
		messenger.pNext = NULL;
		out->CreateDebugUtilsMessengerEXT(out->instance, &messenger, NULL, &out->messenger);
	}
	return VK_SUCCESS;
}

void gaze_destroy_instance(gaze_instance *instance) {
	if (instance->messenger) instance->DestroyDebugUtilsMessengerEXT(instance->instance, instance->messenger, NULL);
	instance->DestroyInstance(instance->instance, NULL);
}
